import { Check } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useEffectEvent, useRef } from "react";
import { itemAfter } from "@/lib/menu";

interface Props {
  /** The id of the button that opens the menu. It has the same parent, which can have the focus. */
  opener: string;
  /** Whether to begin with the last item. */
  fromEnd: boolean;
  onClose: () => void;
  /** Elements with the role of a menu item. */
  children: ReactNode;
}

/**
 * A menu below its button, open while it is rendered. It closes when an item is chosen, at Escape or Tab, and when
 * the focus goes elsewhere: https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/
 */
export function Menu({ opener, fromEnd, onClose, children }: Props) {
  const menu = useRef<HTMLDivElement>(null);
  const items = () => [...(menu.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
  const first = useEffectEvent(() => items().at(fromEnd ? -1 : 0));
  useEffect(() => first()?.focus(), []);

  // The focus goes to the button, so that Tab leads on from there and a dialog that an item opens returns it there.
  const leave = () => {
    document.getElementById(opener)?.focus();
    onClose();
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" || event.key === "Tab") return leave();
    const all = items();
    const labels = all.map((item) => item.textContent);
    const current = all.findIndex((item) => item.matches(":focus"));
    const next = itemAfter(event.key, current, labels);
    if (next === null) return;
    event.preventDefault();
    all[next]?.focus();
  };
  return (
    <div
      ref={menu}
      role="menu"
      tabIndex={-1}
      aria-labelledby={opener}
      onKeyDown={press}
      onClick={({ target }) => {
        if (target instanceof Element && target.closest("[role^=menuitem]")) leave();
      }}
      // The button is beside the menu, and closes it by itself.
      onBlur={({ relatedTarget }) => {
        if (!menu.current?.parentElement?.contains(relatedTarget)) onClose();
      }}
      className="absolute top-full right-0 z-30 mt-1 min-w-52 rounded-xl border border-line bg-surface p-1 shadow-black/60 shadow-xl outline-none"
    >
      {children}
    </div>
  );
}

interface ItemProps {
  icon: ReactNode;
  /** Whether it is on, if it is something that can be turned on and off. */
  checked?: boolean;
  onChoose: () => void;
  children: ReactNode;
}

export function MenuItem({ icon, checked, onChoose, children }: ItemProps) {
  return (
    <button
      type="button"
      {...(checked === undefined
        ? { role: "menuitem" }
        : { role: "menuitemcheckbox", "aria-checked": checked })}
      tabIndex={-1}
      onClick={onChoose}
      className="flex min-h-11 w-full items-center gap-2.5 whitespace-nowrap rounded-lg border border-transparent px-3 text-left text-sm hover:bg-line focus:bg-line sm:min-h-10"
    >
      {icon}
      {children}
      {checked && <Check aria-hidden className="ml-auto size-4 text-accent" />}
    </button>
  );
}
