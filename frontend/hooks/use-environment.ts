import { useSyncExternalStore } from "react";

function listenTo(target: () => EventTarget, ...events: string[]) {
  return (listener: () => void) => {
    for (const event of events) target().addEventListener(event, listener);
    return () => {
      for (const event of events) target().removeEventListener(event, listener);
    };
  };
}

const visibility = listenTo(() => document, "visibilitychange");
const connection = listenTo(() => window, "online", "offline");

/** Whether the tab is visible. */
export function useVisible(): boolean {
  return useSyncExternalStore(
    visibility,
    () => document.visibilityState === "visible",
    () => true,
  );
}

export function useOnline(): boolean {
  return useSyncExternalStore(
    connection,
    () => navigator.onLine,
    () => true,
  );
}
