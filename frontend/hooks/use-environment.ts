import { useSyncExternalStore } from "react";
import { listenTo } from "@/lib/events";
import { asks } from "@/lib/polling";
import { isTelling } from "@/lib/telling";

const visibility = listenTo("visibilitychange");
const storage = listenTo("storage");
const visibilityAndStorage = listenTo("visibilitychange", "storage");
const connection = listenTo("online", "offline");

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
