import { type ReactElement, type ReactNode, useEffect, useState } from "react";

/** A phone shows no more cards than this. */
const AT_FIRST = 2;

interface Props {
  items: ReactElement[];
  /** Called with the first items, and with `items` itself once all are to be shown. */
  children: (shown: ReactElement[]) => ReactNode;
}

/**
 * Shows what a phone shows at once, and then one item after the other, so that a slow one answers its user in between:
 * twenty cards in one go keep it busy for a third of a second.
 */
export function Gradually({ items, children }: Props) {
  const [most, setMost] = useState(AT_FIRST);
  const more = most < items.length;
  useEffect(() => {
    if (!more) return;
    const timer = setTimeout(() => setMost(most + 1));
    return () => clearTimeout(timer);
  }, [more, most]);
  return children(more ? items.slice(0, most) : items);
}
