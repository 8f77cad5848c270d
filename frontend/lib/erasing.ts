/**
 * What the page knows of an erasure without asking: this browser remembers that one was accepted, so that the page shows
 * its progress also when it is opened again.
 */

const KEY = "erasing:";
const ERASED = "nuumee:erased";

/** The id of the place where the progress is shown. */
export const BELOW_HEADER = "below-header";

export function isErasing(userId: string): boolean {
  return localStorage.getItem(KEY + userId) !== null;
}

export function noteErasure(userId: string): void {
  try {
    localStorage.setItem(KEY + userId, "yes");
  } catch {
    // The browser has no room. The progress is shown until the page is left.
  }
}

export function forgetErasure(userId: string): void {
  localStorage.removeItem(KEY + userId);
}

/** Tells the page that all jobs are deleted. */
export function tellErased(): void {
  window.dispatchEvent(new Event(ERASED));
}

/** Calls `act` when all jobs are deleted. Returns a function that stops this. */
export function onErased(act: () => void): () => void {
  window.addEventListener(ERASED, act);
  return () => window.removeEventListener(ERASED, act);
}
