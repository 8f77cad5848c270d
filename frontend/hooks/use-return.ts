import { useEffect, useEffectEvent } from "react";

/**
 * Calls `act` when the user comes back to the page, which was hidden, left for another one or without a connection.
 * It is not called while the page is hidden or offline.
 */
export function useReturn(act: () => void): void {
  const comeBack = useEffectEvent(() => {
    if (document.visibilityState === "visible" && navigator.onLine) act();
  });
  useEffect(() => {
    const handle = () => comeBack();
    document.addEventListener("visibilitychange", handle);
    // Also fired by the back/forward cache, which keeps the page as it was: https://web.dev/articles/bfcache
    window.addEventListener("pageshow", handle);
    window.addEventListener("online", handle);
    return () => {
      document.removeEventListener("visibilitychange", handle);
      window.removeEventListener("pageshow", handle);
      window.removeEventListener("online", handle);
    };
  }, []);
}
