/** Whether the user wants to be told when a job is done, by a notification of the browser. */

import { serverNow } from "@/lib/server-time";

/** Holds the time since when, in milliseconds since 1970 by the functions' clock. */
export const WANTED = "tell-when-done";

/** Returns that time. Null also where the browser shows no notifications, no longer allows them, or stores nothing. */
export function tellingSince(): number | null {
  try {
    return (Notification.permission === "granted" && Number(localStorage.getItem(WANTED))) || null;
  } catch {
    return null;
  }
}

export function isTelling(): boolean {
  return tellingSince() !== null;
}

/** Turns it on or off, for all tabs. Throws where the browser has no room left. */
export function setTelling(wanted: boolean): void {
  if (wanted) localStorage.setItem(WANTED, String(serverNow()));
  else localStorage.removeItem(WANTED);
  sayThatItChanged();
}

/**
 * Calls the listeners of this tab when the user changes the permission in the browser's own settings. Returns what ends
 * that. Browsers that do not tell of permissions leave it to the next change of anything else.
 */
export function heedPermission(): () => void {
  const heeding = new AbortController();
  const heed = (status: PermissionStatus) =>
    status.addEventListener("change", sayThatItChanged, { signal: heeding.signal });
  navigator.permissions?.query({ name: "notifications" }).then(heed, () => undefined);
  return () => heeding.abort();
}

/** For `storage`, browsers call the listeners of the other tabs only. */
function sayThatItChanged(): void {
  window.dispatchEvent(new Event("storage"));
}
