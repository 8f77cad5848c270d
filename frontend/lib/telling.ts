/** Whether the user wants to be told when a job is done, by a notification of the browser. */

/** Holds the time since when, in milliseconds since 1970 by the functions' clock. */
export const WANTED = "tell-when-done";

/** Returns that time. Null also where the browser shows no notifications, no longer allows them, or stores nothing. */
export function tellingSince(): number | null {
  try {
    // The permission comes last: the browser asks another process for it, while the page waits.
    const since = Number(localStorage.getItem(WANTED));
    return since > 0 && Notification.permission === "granted" ? since : null;
  } catch {
    return null;
  }
}

export function isTelling(): boolean {
  return tellingSince() !== null;
}
