/**
 * What the page knows of an erasure without asking: this browser remembers until its end that one was accepted, so that
 * the page shows its progress also when it is opened again.
 */

/** With the user's id, where this is remembered. */
export const KEY = "erasing:";
/** The event that tells the page that all jobs are deleted. */
export const ERASED = "nuumee:erased";

/** The id of the place where the progress is shown. */
export const BELOW_HEADER = "below-header";

export function isErasing(userId: string): boolean {
  return localStorage.getItem(KEY + userId) !== null;
}
