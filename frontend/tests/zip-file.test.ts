import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { forgetSavedZip } from "@/lib/zip-file";

const HOUR = 3_600_000;
const removeEntry = vi.fn();

function store(file: { size: number; age: number } | null): void {
  const getFile = async () => file && { size: file.size, lastModified: Date.now() - file.age };
  const getFileHandle = async () => {
    if (!file) throw new DOMException("", "NotFoundError");
    return { getFile };
  };
  vi.stubGlobal("navigator", { storage: { getDirectory: async () => ({ removeEntry, getFileHandle }) } });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  removeEntry.mockReset();
});

test("a zip file that is an hour old is removed", async () => {
  store({ size: 5, age: HOUR });
  await forgetSavedZip();
  expect(removeEntry).toHaveBeenCalledExactlyOnceWith("nuumee-jobs.zip");
});

test.each([
  ["that the browser may still be saving", { size: 5, age: HOUR - 1 }],
  ["that another tab is writing, however long that takes", { size: 0, age: 9 * HOUR }],
])("a zip file %s is left", async (_, file) => {
  store(file);
  await forgetSavedZip();
  expect(removeEntry).not.toHaveBeenCalled();
});

test("nothing happens if there is none, in a browser without storage for files, or whose storage is closed in a private window", async () => {
  store(null);
  await forgetSavedZip();
  vi.stubGlobal("navigator", {});
  await forgetSavedZip();
  const refuse = () => Promise.reject(new DOMException("", "SecurityError"));
  vi.stubGlobal("navigator", { storage: { getDirectory: refuse } });
  await forgetSavedZip();
  expect(removeEntry).not.toHaveBeenCalled();
});
