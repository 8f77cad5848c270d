/** The keys of a menu: https://www.w3.org/WAI/ARIA/apg/patterns/menubar/#keyboardinteraction */

/**
 * Returns the index of the item to which the key moves the focus, or null if it moves it to none. A letter moves it to
 * the next item that begins with it. There is at least one item.
 */
export function itemAfter(key: string, current: number, labels: string[]): number | null {
  const count = labels.length;
  switch (key) {
    case "ArrowDown":
      return (current + 1) % count;
    case "ArrowUp":
      return (Math.max(current, 0) + count - 1) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
  }
  if ([...key].length !== 1 || key === " ") return null;
  const order = labels.map((_, step) => (current + 1 + step) % count);
  return order.find((index) => labels[index]?.toLowerCase().startsWith(key.toLowerCase())) ?? null;
}
