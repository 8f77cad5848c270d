/** Returns what calls a listener at each of these events, which all reach the window, and returns what ends that. */
export function listenTo(...events: string[]) {
  return (listener: () => void): (() => void) => {
    for (const event of events) window.addEventListener(event, listener);
    return () => {
      for (const event of events) window.removeEventListener(event, listener);
    };
  };
}
