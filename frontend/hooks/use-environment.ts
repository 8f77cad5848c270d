import { useSyncExternalStore } from "react";
import { isTelling } from "@/lib/telling";

function listenTo(target: () => EventTarget, ...events: string[]) {
  return (listener: () => void) => {
    for (const event of events) target().addEventListener(event, listener);
    return () => {
      for (const event of events) target().removeEventListener(event, listener);
    };
  };
}

const visibility = listenTo(() => document, "visibilitychange");
const storage = listenTo(() => window, "storage");
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

/** Whether the user wants to be told when a job is done. Another tab may turn it on or off. */
export function useTelling(): boolean {
  return useSyncExternalStore(storage, isTelling, () => false);
}
