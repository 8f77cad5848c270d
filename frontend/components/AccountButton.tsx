import { ChevronDown } from "lucide-react";
import { type KeyboardEvent, useId, useState } from "react";
import { Button } from "@/components/ui/Button";
import { usePart } from "@/hooks/use-part";
import { isErasing } from "@/lib/erasing";
import type { Session } from "@/lib/session";

export const loadAccountMenu = () => import("@/components/AccountMenu");

const OPENS: Record<string, "first" | "last"> = { ArrowDown: "first", ArrowUp: "last" };

/** The button of the account menu, which is loaded when it is first opened. */
export function AccountButton({ session }: { session: Session }) {
  const id = useId();
  const [opened, setOpened] = useState<"first" | "last" | null>(null);
  const close = () => setOpened(null);
  const AccountMenu = usePart(opened !== null || isErasing(session.userId), loadAccountMenu, close);

  const press = (event: KeyboardEvent) => {
    const opens = OPENS[event.key];
    if (!opens) return;
    event.preventDefault();
    setOpened(opens);
  };
  return (
    <div tabIndex={-1} className="relative ml-auto min-w-0 outline-none">
      <Button
        id={id}
        aria-haspopup="menu"
        aria-expanded={opened !== null && AccountMenu !== null}
        onClick={() => setOpened(opened ? null : "first")}
        onKeyDown={press}
        className="max-w-full"
      >
        <span className="truncate">{session.email ?? "Account"}</span>
        <ChevronDown aria-hidden className="size-4 shrink-0" />
      </Button>
      {AccountMenu && <AccountMenu userId={session.userId} opener={id} opened={opened} onClose={close} />}
    </div>
  );
}
