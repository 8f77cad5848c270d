import { type ReactNode, useEffect, useState } from "react";

/** A phone shows no more cards than this. */
const STEP = 3;

interface Props<T> {
  items: T[];
  children: (shown: T[]) => ReactNode;
}

/**
 * Renders the first items at once and the others a few at a time, so that a slow phone answers the user in between:
 * twenty cards in one go keep it busy for a third of a second.
 */
export function Gradually<T>({ items, children }: Props<T>) {
  const [most, setMost] = useState(STEP);
  const more = most < items.length;
  useEffect(() => {
    if (!more) return;
    const timer = setTimeout(() => setMost(most + STEP));
    return () => clearTimeout(timer);
  }, [more, most]);
  return children(more ? items.slice(0, most) : items);
}
