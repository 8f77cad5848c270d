/** Whether the user wants to be told when a job is done, by a notification of the browser. */

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
