import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HOUR } from "@/lib/time";
import { forgetZips, newZipName } from "@/lib/zip-file";
import { folder } from "./folder";

/** The browser's own storage, with files of such an age. */
function store(ages: Record<string, number>) {
  const storage = folder(ages);
  vi.stubGlobal("navigator", { storage: { getDirectory: async () => storage } });
  return storage;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("zip files that are an hour old are removed, and nothing else is", async () => {
  const own = newZipName();
  // The second is what Chromium leaves if it crashes while the page writes one.
  const zips = { "nuumee-jobs.zip": HOUR, "nuumee-jobs 1.zip.crswap": HOUR, [own]: 9 * HOUR };
  const { files } = store({ ...zips, "nuumee-a.mp4": 9 * HOUR });
  await forgetZips();
  expect([...files.keys()]).toEqual(["nuumee-a.mp4"]);
});

test("a zip file that the browser may still be saving is left", async () => {
  const { files } = store({ "nuumee-jobs.zip": HOUR - 1 });
  await forgetZips();
  expect(files.size).toBe(1);
});

test("a zip file that another tab is writing is left for a day", async () => {
  const { files, getFileHandle } = store({});
  await getFileHandle(newZipName(), { create: true });
  vi.advanceTimersByTime(23 * HOUR);
  await forgetZips();
  expect(files.size).toBe(1);
  vi.advanceTimersByTime(HOUR);
  await forgetZips();
  expect(files.size).toBe(0);
});

test("all that the browser lets go are removed at a sign-out, whatever their age", async () => {
  const storage = store({ "nuumee-jobs 1.zip": 9 * HOUR, "nuumee-jobs 2.zip": 0 });
  await storage.getFileHandle("nuumee-jobs 3.zip", { create: true });
  const remove = storage.removeEntry;
  storage.removeEntry = async (name) => {
    if (name === "nuumee-jobs 1.zip") throw new DOMException("", "NoModificationAllowedError");
    await remove(name);
  };
  await forgetZips(0);
  expect([...storage.files.keys()]).toEqual(["nuumee-jobs 1.zip"]);
});

test("nothing happens in a browser without storage for files, or whose storage is closed in a private window", async () => {
  vi.stubGlobal("navigator", {});
  await forgetZips();
  const getDirectory = vi.fn(() => Promise.reject(new DOMException("", "SecurityError")));
  vi.stubGlobal("navigator", { storage: { getDirectory } });
  await forgetZips();
  expect(getDirectory).toHaveBeenCalledOnce();
});

test("each zip file has a name of its own", () => {
  expect(newZipName()).not.toBe(newZipName());
});
