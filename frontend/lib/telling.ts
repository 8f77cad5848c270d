/** Whether the user wants to be told when a job is done, by a notification of the browser. */

export const WANTED = "tell-when-done";

/** False also where the browser shows no notifications, no longer allows them, or stores nothing. */
export function isTelling(): boolean {
  try {
    return localStorage.getItem(WANTED) === "yes" && Notification.permission === "granted";
  } catch {
    return false;
  }
}
