/** Whether the user wants to be told when a job is done, by a notification of the browser. */

/** Holds the time since when, in milliseconds since 1970 by the functions' clock. */
export const WANTED = "tell-when-done";
/** Which ends of jobs the user has been told of in this browser, each with when its job was last changed, latest last. */
export const TOLD = "told-ends-of-jobs";

/** The notifications that this page has shown. */
export const shown = new Set<Notification>();

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

/** Forgets both, and closes the notifications that this page has shown: the browser's next user is another one. */
export function forgetTelling(): void {
  localStorage.removeItem(WANTED);
  localStorage.removeItem(TOLD);
  for (const notification of shown) notification.close();
}
