/** The zip file that the page writes into the browser's own storage before the browser saves it. */

import { HOUR } from "@/lib/time";

export const ZIP = "nuumee-jobs.zip";
/**
 * Milliseconds after which the browser counts as done with saving the file. It copies it from one place on the disk to
 * another, and does not tell when that has ended.
 */
export const SAVED_AFTER = HOUR;

/** Removes the file that an earlier run left, if there is one and the browser lets it go. */
export async function forgetZip(): Promise<void> {
  try {
    await (await navigator.storage.getDirectory()).removeEntry(ZIP);
  } catch {
    // There is none, the browser has no such storage, or another tab is writing the file. No caller needs to know.
  }
}

/** Removes the file if it was complete so long ago that the browser has saved it, whichever tab has made it. */
export async function forgetSavedZip(): Promise<void> {
  try {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle(ZIP);
    const { size, lastModified } = await handle.getFile();
    // While a tab writes the file, it is empty.
    if (size > 0 && Date.now() - lastModified >= SAVED_AFTER) await forgetZip();
  } catch {
    // There is none, or the browser has no such storage.
  }
}
