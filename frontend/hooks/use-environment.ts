import { useSyncExternalStore } from "react";
import { asks } from "@/lib/polling";
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
const visibilityAndStorage = (listener: () => void) => {
  const ends = [visibility(listener), storage(listener)];
  return () => {
    for (const end of ends) end();
  };
};
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

/** Whether the user wants to be told when a job is done. Any tab may turn it on or off. */
export function useTelling(): boolean {
  return useSyncExternalStore(storage, isTelling, () => false);
}

/** Whether anything is asked: see `asks`. */
export function useAsks(): boolean {
  return useSyncExternalStore(visibilityAndStorage, asks, () => true);
}
