/** The zip files that the page writes into the browser's own storage before the browser saves them. */

import { DAY, HOUR } from "@/lib/time";

/** How the names of all of them begin. */
const STEM = "nuumee-jobs";
/** The name under which the browser saves one. */
export const ZIP = `${STEM}.zip`;
/**
 * Milliseconds after which the browser counts as done with saving a file. It copies it from one place on the disk to
 * another, and does not tell when that has ended.
 */
export const SAVED_AFTER = HOUR;
/** Milliseconds after which no tab is still writing a file, which is empty until it is complete. */
const LEFT_AFTER = DAY;

/** Returns a name that no other file in the browser's own storage has. The browser may still be saving each of them. */
export const newZipName = () => `${STEM} ${crypto.randomUUID()}.zip`;

/**
 * Removes the files that were complete this long ago, in milliseconds, whichever tab has made them, and what a
 * browser that crashed or a tab that was closed has left of one. With 0, it removes all that the browser lets go.
 */
export async function forgetZips(age = SAVED_AFTER): Promise<void> {
  try {
    const storage = await navigator.storage.getDirectory();
    // All names first, because a directory that changes meanwhile may skip some.
    const names: string[] = [];
    for await (const name of storage.keys()) if (name.startsWith(STEM)) names.push(name);
    const forget = async (name: string) => {
      const { size, lastModified } = await (await storage.getFileHandle(name)).getFile();
      if (age === 0 || Date.now() - lastModified >= (size > 0 ? age : LEFT_AFTER))
        await storage.removeEntry(name);
    };
    // One that another tab is writing or has removed does not save the others.
    await Promise.allSettled(names.map(forget));
  } catch {
    // The browser has no such storage. No caller needs to know.
  }
}
