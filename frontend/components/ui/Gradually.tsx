import { type ReactElement, type ReactNode, useEffect, useState } from "react";
import { useVisible } from "@/hooks/use-environment";

/** Once all are shown, later ones appear with them. */
const ALL = Number.POSITIVE_INFINITY;

interface Props {
  items: ReactElement[];
  /** Called with the first item, with one more each time, and with `items` itself once all are to be shown. */
  children: (shown: ReactElement[]) => ReactNode;
}

/**
 * Shows the first item, which almost fills a phone, and then one after the other, so that a slow phone answers its user
 * in between: twenty cards in one go keep it busy for a third of a second. A hidden page shows all at once: it answers
 * nobody, and its browser would let one follow a second.
 */
export function Gradually({ items, children }: Props) {
  const all = items.length;
  const [most, setMost] = useState(all > 1 ? 1 : ALL);
  const visible = useVisible();
  useEffect(() => {
    if (most === ALL) return;
    if (!visible) return setMost(ALL);
    const timer = setTimeout(() => setMost(most + 1 < all ? most + 1 : ALL));
    return () => clearTimeout(timer);
  }, [all, most, visible]);
  return children(most < all ? items.slice(0, most) : items);
}
