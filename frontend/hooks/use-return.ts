import { useEffect, useEffectEvent } from "react";
import { listenTo } from "@/lib/events";

// `pageshow` is also fired by the back/forward cache, which keeps the page as it was: https://web.dev/articles/bfcache
const comingBack = listenTo("visibilitychange", "pageshow", "online");

/**
 * Calls `act` when the user comes back to the page, which was hidden, left for another one or without a connection.
 * It is not called while the page is hidden or offline.
 */
export function useReturn(act: () => void): void {
  const comeBack = useEffectEvent(() => {
    if (document.visibilityState === "visible" && navigator.onLine) act();
  });
  useEffect(() => comingBack(() => comeBack()), []);
}
