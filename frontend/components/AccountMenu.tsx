import { LogOut } from "lucide-react";
import { Menu, MenuItem } from "@/components/ui/Menu";
import { endSession } from "@/lib/session";

interface Props {
  /** The id of the button that opens the menu. */
  opener: string;
  /** With which item an open menu begins; null while it is closed. */
  opened: "first" | "last" | null;
  onClose: () => void;
}

/** What the user can do about the account. It stays rendered while the menu is closed, for what an item opens. */
export default function AccountMenu({ opener, opened, onClose }: Props) {
  return (
    opened && (
      <Menu opener={opener} fromEnd={opened === "last"} onClose={onClose}>
        <MenuItem icon={<LogOut aria-hidden className="size-4" />} onChoose={() => endSession("signed-out")}>
          Sign out
        </MenuItem>
      </Menu>
    )
  );
}
