/** Where the videos of many jobs can be saved. None is held whole in memory: files are written while they arrive. */

import { late } from "@/lib/late";
import { usedAgain } from "@/lib/pieces";
import { type Target, TargetLost } from "@/lib/save-many";
import { forgetZips, newZipName, SAVED_AFTER, ZIP } from "@/lib/zip-file";

// Not in TypeScript's own types: https://wicg.github.io/file-system-access/#api-showdirectorypicker
declare global {
  interface Window {
    showDirectoryPicker?: (options: { id: string; mode: "readwrite" }) => Promise<FileSystemDirectoryHandle>;
  }
}

/** Of a folder. Each has one file under way, which takes Chromium up to 60 MB of memory. */
const AT_ONCE = 2;

/** How this browser saves many files: into a folder, as one zip file, or not at all. */
export function wayToSave(): "folder" | "zip" | null {
  if (window.showDirectoryPicker) return "folder";
  const writes =
    typeof FileSystemFileHandle !== "undefined" && "createWritable" in FileSystemFileHandle.prototype;
  return writes && "getDirectory" in navigator.storage ? "zip" : null;
}

/** Lets the user choose a folder. Call it in response to a click. Throws AbortError if the user chooses none. */
export async function chosenFolder(): Promise<Target> {
  if (!window.showDirectoryPicker) throw new TypeError("This browser opens no folders");
  return folderTarget(await window.showDirectoryPicker({ id: "nuumee", mode: "readwrite" }));
}

export function folderTarget(folder: FileSystemDirectoryHandle): Target {
  const handle = async (name: string, options?: FileSystemGetFileOptions) => {
    try {
      return await folder.getFileHandle(name, options);
    } catch (error) {
      // So that it is not taken for a connection that broke off, which is a TypeError too.
      throw error instanceof TypeError ? new DOMException(error.message, "InvalidCharacterError") : error;
    }
  };
  const find = async (name: string) => {
    try {
      return await (await handle(name)).getFile();
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotFoundError") return null;
      throw error;
    }
  };
  const sizeOf = async (name: string) => (await find(name))?.size ?? null;
  const textOf = async (name: string) => (await find(name))?.text() ?? null;
  const write = async (name: string, content: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    const wasThere = (await find(name)) !== null;
    const file = await handle(name, { create: true });
    try {
      // Until it is closed, a browser keeps what is written in a file of its own.
      await content.pipeTo(usedAgain(await file.createWritable()));
    } catch (error) {
      if (!wasThere) await folder.removeEntry(name);
      throw error;
    }
  };
  const end = async (list: File) => {
    await write(list.name, list.stream());
    return true;
  };
  return { atOnce: AT_ONCE, sizeOf, textOf, write, end };
}

/**
 * Writes one zip file into the browser's own storage, and at the end lets the browser save it as a download. What an
 * earlier run left there is removed once the browser has saved it. A file that breaks off for good breaks the zip file,
 * and the target is lost.
 */
export async function zipTarget(): Promise<Target> {
  const { makeZip } = await late(() => import("client-zip"));
  await forgetZips();
  const storage = await navigator.storage.getDirectory();
  const file = await storage.getFileHandle(newZipName(), { create: true });
  const entries = handOver<{ name: string; input: ReadableStream<Uint8Array>; lastModified: Date }>();
  const written = makeZip(entries.taken()).pipeTo(usedAgain(await file.createWritable()));
  // Each write and the end report it.
  written.catch(() => undefined);
  const add = async (name: string, input: ReadableStream<Uint8Array>) => {
    const entry = { name, input, lastModified: new Date() };
    await Promise.race([entries.put(entry), written]);
  };
  return {
    atOnce: 1,
    sizeOf: async () => null,
    textOf: async () => null,
    write: (name, content) =>
      add(name, content).catch((cause: unknown) => {
        throw new TargetLost("The zip file is broken", { cause });
      }),
    end: async (list, cancelled) => {
      try {
        if (!cancelled) await add(list.name, list.stream());
        entries.end();
        await written;
      } catch (error) {
        await storage.removeEntry(file.name);
        if (cancelled) return false;
        throw error;
      }
      if (cancelled) await storage.removeEntry(file.name);
      else save(await file.getFile());
      return !cancelled;
    },
  };
}

interface Offered<T> {
  item: T;
  onTaken: () => void;
}

/** Gives items to whoever iterates over them, one at a time. `put` ends when the iteration goes on. */
export function handOver<T>() {
  let offer: (offered: Offered<T> | null) => void = () => undefined;
  const following = () =>
    new Promise<Offered<T> | null>((resolve) => {
      offer = resolve;
    });
  let next = following();
  return {
    put: (item: T) => new Promise<void>((onTaken) => offer({ item, onTaken })),
    end: () => offer(null),
    async *taken(): AsyncGenerator<T> {
      for (let offered = await next; offered; offered = await next) {
        next = following();
        yield offered.item;
        offered.onTaken();
      }
    },
  };
}

function save(file: File): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = ZIP;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
    void forgetZips();
  }, SAVED_AFTER);
}
