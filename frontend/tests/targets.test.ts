import { afterEach, describe, expect, test, vi } from "vitest";
import { PartMissing } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { late } from "@/lib/late";
import { saveMany, TargetLost } from "@/lib/save-many";
import { folderTarget, handOver, wayToSave, zipTarget } from "@/lib/targets";
import { HOUR, MINUTE } from "@/lib/time";
import { folder } from "./folder";

vi.mock("@/lib/late", { spy: true });
vi.mock("@/lib/job-calls", () => ({
  getJobOutput: async (id: string) => ({
    job_id: id,
    download_url: "https://storage.test/",
    filename: "a.mp4",
  }),
}));

const list = (content: string) => new File([content], "jobs.json");
const text = (content: string) => new Blob([content]).stream();
const broken = () =>
  new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (stream) => stream.error(new TypeError("lost")) });

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a folder", () => {
  const made = () => {
    const there = folder();
    return { files: there.files, target: folderTarget(there as unknown as FileSystemDirectoryHandle) };
  };

  test("says of a name that the browser refuses that it is the name", async () => {
    const refuse = async () => Promise.reject(new TypeError("Name is not allowed."));
    const target = folderTarget({ getFileHandle: refuse } as unknown as FileSystemDirectoryHandle);
    await expect(target.sizeOf("a~1.mp4")).rejects.toMatchObject({ name: "InvalidCharacterError" });
    await expect(target.write("a~1.mp4", text("video"))).rejects.toBeInstanceOf(DOMException);
  });

  test("has what is written, and the list at the end", async () => {
    const { files, target } = made();
    expect(await target.sizeOf("a.mp4")).toBeNull();
    await target.write("a.mp4", text("video"));
    expect(await target.sizeOf("a.mp4")).toBe(5);
    expect(await target.textOf("jobs.json")).toBeNull();
    expect(await target.end(list("[]"), true)).toBe(true);
    expect([...files.keys()]).toEqual(["a.mp4", "jobs.json"]);
    expect(await target.textOf("jobs.json")).toBe("[]");
  });

  test("has nothing of what broke off, and keeps what was there before", async () => {
    const { files, target } = made();
    await target.write("old.mp4", text("old"));
    await expect(target.write("old.mp4", broken())).rejects.toThrow("lost");
    await expect(target.write("new.mp4", broken())).rejects.toThrow("lost");
    expect([...files.keys()]).toEqual(["old.mp4"]);
    expect(await target.sizeOf("old.mp4")).toBe(3);
  });
});

describe("a zip file", () => {
  const made = async (there = folder()) => {
    const link = { href: "", download: "", click: vi.fn() };
    vi.stubGlobal("navigator", { storage: { getDirectory: async () => there } });
    vi.stubGlobal("document", { createElement: () => link });
    const saved = vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:1");
    saved.mockClear();
    return { files: there.files, link, saved, target: await zipTarget() };
  };

  test("holds all files and the list, and is handed to the browser at the end", async () => {
    const { target, link, saved } = await made();
    await target.write("a.mp4", text("first video"));
    await target.write("b.mp4", text("second video"));
    expect(link.click).not.toHaveBeenCalled();
    expect(await target.end(list("[1, 2]"), false)).toBe(true);
    expect([link.download, link.click.mock.calls.length]).toEqual(["nuumee-jobs.zip", 1]);
    const [zip] = saved.mock.calls.map(([blob]) => blob as Blob);
    const content = await zip?.text();
    const parts = ["PK", "a.mp4", "first video", "b.mp4", "second video", "jobs.json", "[1, 2]"];
    const places = parts.map((part) => content?.indexOf(part) ?? -1);
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(places[0]).toBe(0);
  });

  test("holds a video whole that broke off while it was received", async () => {
    const { target, saved } = await made();
    const whole = "first video, second half";
    const etag = { ETag: '"1"', "Content-Length": String(whole.length) };
    const pieces = [new TextEncoder().encode(whole.slice(0, 12))];
    const half = new ReadableStream<Uint8Array<ArrayBuffer>>({
      type: "bytes",
      pull: (stream) => {
        const piece = pieces.pop();
        if (piece) stream.enqueue(piece);
        else stream.error(new TypeError("lost"));
      },
    });
    const fetch = vi
      .fn<typeof globalThis.fetch>()
      .mockResolvedValueOnce(new Response(half, { headers: etag }))
      .mockResolvedValueOnce(new Response(whole.slice(12), { status: 206, headers: etag }));
    vi.stubGlobal("fetch", fetch);
    vi.stubGlobal("window", new EventTarget());
    vi.useFakeTimers();
    const { signal } = new AbortController();
    const ended = saveMany([{ id: "a" } as JobFields], target, { done: 0, total: 1, bytes: 0 }, signal);
    await vi.waitFor(() => vi.advanceTimersByTimeAsync(1000).then(() => expect(saved).toHaveBeenCalled()));
    vi.useRealTimers();
    expect(await ended).toEqual({ saved: 1, problems: [], cancelled: false });
    const [zip] = saved.mock.calls.map(([blob]) => blob as Blob);
    expect(await zip?.text()).toContain(`${whole}PK`); // with nothing between it and what follows
    expect(fetch.mock.calls[1]?.[1]).toMatchObject({ headers: { Range: "bytes=12-" } });
  });

  test("is removed an hour after it was handed over, when the browser has saved it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "Date"] });
    const { files, saved, target } = await made();
    const revoked = vi.spyOn(URL, "revokeObjectURL");
    await target.end(list("[]"), false);
    expect(saved).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(3_599_000);
    expect([files.size, revoked.mock.calls.length]).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(files.size).toBe(0);
    expect(revoked).toHaveBeenCalledExactlyOnceWith("blob:1");
  });

  test("leaves an earlier one that the browser may still be copying, and takes the place of an older one", async () => {
    const there = folder({ "nuumee-jobs 1.zip": HOUR - MINUTE, "nuumee-jobs 2.zip": HOUR });
    const { files, target, link } = await made(there);
    expect(files.get("nuumee-jobs 1.zip")?.size).toBe(5);
    expect(files.has("nuumee-jobs 2.zip")).toBe(false);
    await target.end(list("[]"), false);
    expect([files.size, link.download]).toEqual([2, "nuumee-jobs.zip"]);
  });

  test("is not begun if the part that makes it is gone, and an earlier one stays", async () => {
    const there = folder({ "nuumee-jobs 1.zip": HOUR });
    vi.mocked(late).mockRejectedValueOnce(new PartMissing());
    await expect(made(there)).rejects.toBeInstanceOf(PartMissing);
    expect([...there.files.keys()]).toEqual(["nuumee-jobs 1.zip"]);
  });

  test("is not saved, and leaves nothing, if a file breaks off or it is cancelled", async () => {
    const broke = await made();
    await expect(broke.target.write("a.mp4", broken())).rejects.toBeInstanceOf(TargetLost);
    await expect(broke.target.write("b.mp4", text("late"))).rejects.toBeInstanceOf(TargetLost);
    await expect(broke.target.end(list("[]"), false)).rejects.toThrow(new TypeError("lost"));
    const cancelled = await made();
    await cancelled.target.write("a.mp4", text("video"));
    expect(await cancelled.target.end(list("[]"), true)).toBe(false);
    for (const { files, link } of [broke, cancelled]) {
      expect([files.size, link.click.mock.calls.length]).toEqual([0, 0]);
    }
  });
});

test("what is handed over is taken one at a time", async () => {
  const { put, end, taken } = handOver<number>();
  const seen: number[] = [];
  const reading = (async () => {
    for await (const one of taken()) seen.push(one);
  })();
  await put(1);
  await put(2);
  expect(seen).toEqual([1, 2]);
  end();
  await reading;
});

test("a browser that opens folders saves there, another as a zip file if it can write one, else not at all", () => {
  vi.stubGlobal("navigator", { storage: { getDirectory: () => undefined } });
  vi.stubGlobal("window", {});
  expect(wayToSave()).toBeNull();
  vi.stubGlobal("FileSystemFileHandle", class {});
  expect(wayToSave()).toBeNull();
  vi.stubGlobal(
    "FileSystemFileHandle",
    class {
      createWritable() {}
    },
  );
  expect(wayToSave()).toBe("zip");
  vi.stubGlobal("window", { showDirectoryPicker: () => undefined });
  expect(wayToSave()).toBe("folder");
});
