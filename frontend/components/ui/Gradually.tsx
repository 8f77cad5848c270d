import { type ReactElement, type ReactNode, useEffect, useState } from "react";
import { useVisible } from "@/hooks/use-environment";

/** A phone shows no more cards than this. */
const AT_FIRST = 2;
/** Once all are shown, later ones appear with them. */
const ALL = Number.POSITIVE_INFINITY;

interface Props {
  items: ReactElement[];
  /** Called with the first items, and with `items` itself once all are to be shown. */
  children: (shown: ReactElement[]) => ReactNode;
}

/**
 * Shows what a phone shows at once, and then one item after the other, so that a slow one answers its user in between:
 * twenty cards in one go keep it busy for a third of a second. A hidden page shows all at once: it answers nobody, and its
 * browser would let one follow a second.
 */
export function Gradually({ items, children }: Props) {
  const all = items.length;
  const [most, setMost] = useState(all > AT_FIRST ? AT_FIRST : ALL);
  const visible = useVisible();
  useEffect(() => {
    if (most === ALL) return;
    if (!visible) return setMost(ALL);
    const timer = setTimeout(() => setMost(most + 1 < all ? most + 1 : ALL));
    return () => clearTimeout(timer);
  }, [all, most, visible]);
  return children(most < all ? items.slice(0, most) : items);
}
