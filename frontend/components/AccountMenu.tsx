import { BellRing, Eraser, LogOut } from "lucide-react";
import { useState } from "react";
import { createPortal } from "react-dom";
import { ErasureProgress } from "@/components/ErasureProgress";
import { Menu, MenuItem } from "@/components/ui/Menu";
import { usePart } from "@/hooks/use-part";
import { BELOW_HEADER, isErasing } from "@/lib/erasing";
import { noteErasure } from "@/lib/erasure";
import { startTelling, stopTelling } from "@/lib/notices";
import { endSession } from "@/lib/session";
import { isTelling } from "@/lib/telling";

interface Props {
  userId: string;
  /** The id of the button that opens the menu. */
  opener: string;
  /** With which item an open menu begins; null while it is closed. */
  opened: "first" | "last" | null;
  onClose: () => void;
}

const loadEraseDialog = () => import("@/components/dialogs/EraseDialog");

/** What the user can do about the account. It stays rendered while the menu is closed, for what an item opens. */
export default function AccountMenu({ userId, opener, opened, onClose }: Props) {
  const [asks, setAsks] = useState(false);
  /** The number of the erasure whose progress is shown; 0 if there is none. */
  const [erasure, setErasure] = useState(() => (isErasing(userId) ? 1 : 0));
  const closeDialog = () => setAsks(false);
  const EraseDialog = usePart(asks, loadEraseDialog, closeDialog);
  const follow = () => {
    noteErasure(userId);
    setErasure((number) => number + 1);
    closeDialog();
  };
  const closeProgress = () => setErasure(0);
  const place = document.getElementById(BELOW_HEADER);
  return (
    <>
      {opened && (
        <Menu opener={opener} fromEnd={opened === "last"} onClose={onClose}>
          <MenuItem
            icon={<BellRing aria-hidden className="size-4" />}
            checked={isTelling()}
            onChoose={isTelling() ? stopTelling : startTelling}
          >
            Notify me of finished jobs
          </MenuItem>
          <MenuItem
            icon={<LogOut aria-hidden className="size-4" />}
            onChoose={() => endSession("signed-out")}
          >
            Sign out
          </MenuItem>
          <MenuItem icon={<Eraser aria-hidden className="size-4" />} onChoose={() => setAsks(true)}>
            Erase everything
          </MenuItem>
        </Menu>
      )}
      {asks && EraseDialog && <EraseDialog onAccepted={follow} onClose={closeDialog} />}
      {erasure > 0 &&
        place &&
        createPortal(<ErasureProgress key={erasure} userId={userId} onClose={closeProgress} />, place)}
    </>
  );
}
