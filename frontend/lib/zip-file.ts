/** The zip file that the page writes into the browser's own storage before the browser saves it. */

export const ZIP = "nuumee-jobs.zip";

/** Removes the file that an earlier run left, if there is one and the browser lets it go. */
export async function forgetZip(): Promise<void> {
  try {
    await (await navigator.storage.getDirectory()).removeEntry(ZIP);
  } catch {
    // There is none, the browser has no such storage, or another tab is writing the file. No caller needs to know.
  }
}
