import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError, SessionEnded } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { getJob, getJobOutput } from "@/lib/job-calls";
import { reasonOf, saveMany, type Target, TargetLost } from "@/lib/save-many";

vi.mock("@/lib/job-calls", () => ({ getJob: vi.fn(), getJobOutput: vi.fn() }));

const MB = 1_000_000;
const fetch = vi.fn<typeof globalThis.fetch>();
const job = (id: string, more: Partial<JobFields> = {}) =>
  ({ id, status: "completed", ...more }) as JobFields;
const start = () => ({ done: 0, total: 0, bytes: 0 });

/** A target in memory that knows sizes alone. */
function memory() {
  const sizes = new Map<string, number>();
  const texts = new Map<string, string>();
  const target: Target = {
    atOnce: 2,
    sizeOf: async (name) => sizes.get(name) ?? null,
    textOf: async (name) => texts.get(name) ?? null,
    write: async (name, content) => {
      let size = 0;
      const count = new WritableStream<Uint8Array>({
        write: (chunk) => {
          size += chunk.byteLength;
        },
      });
      await content.pipeTo(count);
      sizes.set(name, size);
    },
    end: async (list, cancelled) => {
      texts.set(list.name, await list.text());
      sizes.set(cancelled ? "cancelled" : "ended", 0);
      return true;
    },
  };
  const list = (name = "jobs.json"): Record<string, unknown>[] => JSON.parse(texts.get(name) ?? "[]");
  return { ...target, sizes, texts, list };
}

function video(size: number, headers: Record<string, string> = {}): Response {
  return new Response(new Uint8Array(size), { headers: { "Content-Length": String(size), ...headers } });
}

beforeEach(() => {
  never = new AbortController().signal;
  vi.stubGlobal("fetch", fetch);
  vi.stubGlobal("window", new EventTarget());
  vi.mocked(getJobOutput).mockImplementation(async (id) => ({
    job_id: id,
    download_url: `https://storage.test/${id}`,
    filename: `nuumee-${id}.mp4`,
  }));
  fetch.mockImplementation(async (url) => video(String(url).length));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetAllMocks();
});

let never: AbortSignal;

/** Storage answers with videos that never end. Returns what is called for each that is given up. */
function endlessVideos() {
  const cancelled = vi.fn();
  const pull = (stream: ReadableStreamDefaultController) => stream.enqueue(new Uint8Array(1));
  fetch.mockImplementation(async () => new Response(new ReadableStream({ pull, cancel: cancelled })));
  return cancelled;
}

describe("saving many videos", () => {
  test("saves each with a list of all that is known about them", async () => {
    const hash = { "x-goog-hash": "crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ==" };
    fetch.mockImplementation(async () => video(7, hash));
    const target = memory();
    const progress = start();
    const made = { created_at: "2026-11-26T12:00:00Z", completed_at: null, job_type: "animate" };
    const first = job("a", { ...made, name: "First", seed: 7, extension_prompt: "And then?" });
    const ended = await saveMany([first], target, progress, never);
    expect(ended).toEqual({ saved: 1, problems: [], cancelled: false });
    expect(target.sizes.get("nuumee-a.mp4")).toBe(7);
    expect(target.list()).toEqual([
      {
        id: "a",
        name: "First",
        file: "nuumee-a.mp4",
        bytes: 7,
        checksums: { crc32c: "n03x6A==", md5: "Ojk9c3dhfxgoKVVHYwFbHQ==" },
        type: "animate",
        prompt: "And then?",
        seed: 7,
        made_from: null,
        created_at: "2026-11-26T12:00:00Z",
        completed_at: null,
        problem: null,
      },
    ]);
    expect(progress).toEqual({ done: 1, total: 0, bytes: 7 });
    expect(fetch.mock.calls[0]?.[1]).toMatchObject({ credentials: "omit", cache: "no-store" });
  });

  test("lets the browser ask before it leaves the page until the list is written too", async () => {
    const tokens = { accessToken: "token", expirationTime: 0 };
    const record = JSON.stringify({ uid: "ann", stsTokenManager: tokens });
    vi.stubGlobal("localStorage", { getItem: () => record });
    const asks = () => {
      const leaving = new Event("beforeunload", { cancelable: true });
      Object.defineProperty(leaving, "returnValue", { writable: true }); // as in a browser
      return !window.dispatchEvent(leaving);
    };
    let written: (stays: boolean) => void = () => undefined;
    const end = vi.fn(() => new Promise<boolean>((resolve) => (written = resolve)));
    const saving = saveMany([job("a"), job("b")], { ...memory(), end }, start(), never);
    await vi.waitFor(() => expect(end).toHaveBeenCalled());
    expect(asks()).toBe(true);
    written(true);
    await saving;
    expect(asks()).toBe(false);
  });

  test("does not save again what is there with the right size", async () => {
    const target = memory();
    const jobs = [job("a"), job("b"), job("c")];
    target.sizes.set("nuumee-a.mp4", "https://storage.test/a".length).set("nuumee-b.mp4", 0);
    const write = vi.spyOn(target, "write");
    const ended = await saveMany(jobs, target, start(), never);
    expect(ended).toEqual({ saved: 3, problems: [], cancelled: false });
    expect(write.mock.calls.map(([name]) => name)).toEqual(["nuumee-b.mp4", "nuumee-c.mp4"]);
    expect(target.list().map(({ bytes }) => bytes)).toEqual([22, 22, 22]);
  });

  test("saves beside a file of another size, which may have been edited, and once", async () => {
    const target = memory();
    target.sizes.set("nuumee-a.mp4", 3).set("nuumee-a 2.mp4", 4);
    const write = vi.spyOn(target, "write");
    for (let time = 0; time < 2; time++) {
      await saveMany([job("a")], target, start(), never);
      expect(target.list().map(({ file, bytes }) => [file, bytes])).toEqual([["nuumee-a 3.mp4", 22]]);
    }
    expect(write).toHaveBeenCalledOnce();
    expect([...target.sizes.values()].slice(0, 3)).toEqual([3, 4, 22]);
  });

  test("knows by its list what is there if Cloud Storage tells no size, and replaces no other file", async () => {
    fetch.mockImplementation(async () => new Response(new Uint8Array(9)));
    const target = memory();
    target.sizes.set("nuumee-a.mp4", 9);
    const write = vi.spyOn(target, "write");
    const save = async () => {
      await saveMany([job("a")], target, start(), never);
      return target.list().map(({ file, bytes }) => [file, bytes]);
    };
    for (let time = 0; time < 3; time++) expect(await save()).toEqual([["nuumee-a 2.mp4", 9]]);
    expect(write).toHaveBeenCalledOnce();
    target.sizes.set("nuumee-a 2.mp4", 5); // Its user has edited it.
    expect(await save()).toEqual([["nuumee-a 3.mp4", 9]]);
    expect(await save()).toEqual([["nuumee-a 3.mp4", 9]]);
  });

  test("goes on after what could not be had, and tells why", async () => {
    vi.useFakeTimers();
    const target = memory();
    fetch.mockImplementation(async (url) => {
      if (String(url).endsWith("b")) return new Response("gone", { status: 404 });
      if (String(url).endsWith("c")) throw new TypeError("Failed to fetch");
      return video(1);
    });
    vi.mocked(getJobOutput).mockRejectedValueOnce(new ApiError("There is no such job.", 404, undefined));
    const ended = saveMany(
      ["x", "b", "d", "c", "e"].map((id) => job(id)),
      { ...target, atOnce: 1 },
      start(),
      never,
    );
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    const { saved, problems } = await ended;
    const away = "The service cannot be reached. Check your connection and try again.";
    const reasons = {
      x: "There is no such job.",
      b: "The output video is missing or cannot be reached.",
      c: away,
      e: away,
    };
    expect(saved).toBe(1);
    expect(Object.fromEntries(problems.map(({ job: { id }, reason }) => [id, reason]))).toEqual(reasons);
    expect(target.list().map(({ id, file, problem }) => [id, file, problem])).toEqual([
      ["x", null, reasons.x],
      ["b", null, reasons.b],
      ["d", "nuumee-d.mp4", null],
      ["c", null, away],
      ["e", null, away],
    ]);
    expect(fetch.mock.calls.filter(([url]) => String(url).endsWith("c"))).toHaveLength(7);
  });

  test("keeps in the list what was saved earlier, also if it cannot be had again", async () => {
    const target = memory();
    const lost = { id: "c", file: null, problem: "It was not saved yet." };
    const by = (id: string) => target.list().find((one) => one.id === id);
    target.texts.set("jobs.json", JSON.stringify([{ id: "other", file: "other.mp4" }, lost]));
    await saveMany([job("a"), job("b")], target, start(), never);
    fetch.mockImplementation(async (url) =>
      String(url).endsWith("b") ? video(9) : new Response("gone", { status: 404 }),
    );
    await saveMany([job("a"), job("b"), job("c"), job("d")], target, start(), never);
    expect(target.list().map(({ id, file }) => [id, file])).toEqual([
      ["other", "other.mp4"],
      ["c", null],
      ["a", "nuumee-a.mp4"],
      ["b", "nuumee-b 2.mp4"],
      ["d", null],
    ]);
    expect([by("a")?.problem, by("b")?.bytes]).toEqual([null, 9]);
    expect(by("c")?.problem).toBe("The output video is missing or cannot be reached.");
  });

  test.each(["no list", '{"id": "a"}', "[null]", '[{"id": "a"}]', '[{"id": "a", "file": null}, 7]'])(
    "leaves a file of the list's name that reads %s to its owner, and keeps its own beside it",
    async (earlier) => {
      const target = memory();
      target.texts.set("jobs.json", earlier);
      for (const id of ["a", "b"]) await saveMany([job(id)], target, start(), never);
      expect(target.texts.get("jobs.json")).toBe(earlier);
      expect([...target.texts.keys()]).toEqual(["jobs.json", "jobs 2.json"]);
      const files = target.list("jobs 2.json").map(({ id, file }) => [id, file]);
      expect(files).toEqual([
        ["a", "nuumee-a.mp4"],
        ["b", "nuumee-b.mp4"],
      ]);
    },
  );

  test("takes the place of an empty list, which a browser that crashes leaves", async () => {
    const target = memory();
    target.texts.set("jobs.json", "");
    await saveMany([job("a")], target, start(), never);
    expect([...target.texts.keys()]).toEqual(["jobs.json"]);
    expect(target.list()).toHaveLength(1);
  });

  test("gives files names that browsers write into folders", async () => {
    vi.mocked(getJobOutput).mockImplementation(async (id) => ({
      job_id: id,
      download_url: `https://storage.test/${id}`,
      filename: "nuumee-~\u{1F468}\u200D\u{1F469} \u{1F3F4}\u{E0067}\u{E007F}so\u00ADft.mp4",
    }));
    const target = memory();
    await saveMany([job("a")], target, start(), new AbortController().signal);
    expect(target.list()[0]?.file).toBe("nuumee-_\u{1F468}\u{1F469} \u{1F3F4}soft a.mp4");
  });

  test("gives jobs of the same name files of their own, and takes the list's name for none", async () => {
    vi.mocked(getJobOutput).mockImplementation(async (id) => ({
      job_id: id,
      download_url: `https://storage.test/${id}`,
      filename: "nuumee-Cat.mp4",
    }));
    const target = memory();
    const jobs = ["11111111-a", "22222222-b", "11111111-c"].map((id) => job(id));
    await saveMany(jobs, target, start(), never);
    const files = target.list().map(({ file }) => file);
    expect(files).toEqual([
      "nuumee-Cat 11111111.mp4",
      "nuumee-Cat 22222222.mp4",
      "nuumee-Cat 11111111-c.mp4",
    ]);
  });

  test("lists a prompt whole that a list has cut", async () => {
    const whole = "a".repeat(3000);
    vi.mocked(getJob).mockResolvedValue(job("a", { extension_prompt: whole }));
    const target = memory();
    await saveMany([job("a", { extension_prompt: `${"a".repeat(2000)}…` })], target, start(), never);
    expect(target.list()[0]?.prompt).toBe(whole);
  });

  test("ends when it is cancelled, and the list tells what was saved", async () => {
    const controller = new AbortController();
    const target = memory();
    fetch.mockImplementation(async (url, init) => {
      if (String(url).endsWith("a")) return video(1);
      const stopped = new ReadableStream<Uint8Array>({
        start: (stream) => init?.signal?.addEventListener("abort", () => stream.error(init.signal?.reason)),
      });
      return new Response(stopped);
    });
    const progress = start();
    const ended = saveMany([job("a"), job("b"), job("c")], target, progress, controller.signal);
    await vi.waitFor(() => expect(progress.done).toBe(1));
    controller.abort();
    expect(await ended).toEqual({ saved: 1, problems: [], cancelled: true });
    expect(target.sizes.has("cancelled")).toBe(true);
    expect(target.list().map(({ problem }) => problem)).toEqual([
      null,
      "It was not saved yet.",
      "It was not saved yet.",
    ]);
  });

  test("counts nothing as saved that does not stay", async () => {
    const controller = new AbortController();
    const target = memory();
    const { write } = target;
    target.write = async (name, content) => {
      await write(name, content);
      controller.abort();
    };
    target.end = async (_, cancelled) => !cancelled;
    const ended = await saveMany([job("a"), job("b")], { ...target, atOnce: 1 }, start(), controller.signal);
    expect(ended).toEqual({ saved: 0, problems: [], cancelled: true });
  });

  test("was not cancelled if that comes when all is written", async () => {
    const controller = new AbortController();
    const target = memory();
    target.end = async (_, cancelled) => {
      controller.abort();
      return !cancelled;
    };
    const ended = await saveMany([job("a")], target, start(), controller.signal);
    expect(ended).toEqual({ saved: 1, problems: [], cancelled: false });
  });

  test("stops when the target is lost: nothing else is asked for, nor received", async () => {
    const cause = new DOMException("", "QuotaExceededError");
    const target = { ...memory(), atOnce: 1 };
    const { write } = target;
    target.write = async (name, content) => {
      if (name === "nuumee-a.mp4") return write(name, content);
      // As a zip file does, it keeps the reader to itself.
      await content.getReader().read();
      throw new TargetLost("", { cause });
    };
    target.end = () => Promise.reject(cause);
    const cancelled = vi.fn();
    const endless = () =>
      new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1)), cancel: cancelled });
    fetch.mockImplementation(async (url) => (String(url).endsWith("a") ? video(1) : new Response(endless())));
    const jobs = ["a", "b", "c", "d", "e"].map((id) => job(id));
    await expect(saveMany(jobs, target, start(), never)).rejects.toBe(cause);
    expect([vi.mocked(getJobOutput).mock.calls.length, fetch.mock.calls.length]).toEqual([2, 2]);
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalledOnce());
  });

  test("stops when the session has ended", async () => {
    vi.mocked(getJobOutput).mockRejectedValue(new SessionEnded());
    await expect(saveMany([job("a")], memory(), start(), never)).rejects.toBeInstanceOf(SessionEnded);
  });

  test("waits for a connection that is away between two videos", async () => {
    vi.useFakeTimers();
    const began = Date.now();
    fetch.mockImplementation(async (url) => {
      const since = Date.now() - began;
      if (!String(url).endsWith("a") && since < 10_000) throw new TypeError("Failed to fetch");
      return video(1);
    });
    const ended = saveMany([job("a"), job("b"), job("c")], { ...memory(), atOnce: 1 }, start(), never);
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    expect(await ended).toEqual({ saved: 3, problems: [], cancelled: false });
  });

  test("ends when the disk is full: the others are not received in vain", async () => {
    const cancelled = endlessVideos();
    const write = () => Promise.reject(new DOMException("", "QuotaExceededError"));
    const { problems } = await saveMany(
      [job("a"), job("b")],
      { ...memory(), write, atOnce: 1 },
      start(),
      never,
    );
    const reason = "There is not enough room on the disk, or in what the browser keeps of the last hour.";
    expect(problems.map((one) => [one.job.id, one.reason])).toEqual([
      ["a", reason],
      ["b", reason],
    ]);
    expect(fetch).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalledOnce());
  });

  test("gives up the connection of a video that cannot be written", async () => {
    const cancelled = endlessVideos();
    const write = () => Promise.reject(new DOMException("", "NoModificationAllowedError"));
    await saveMany([job("a"), job("b")], { ...memory(), write }, start(), never);
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalledTimes(2));
  });

  test("asks nothing if it was cancelled before it began", async () => {
    const ended = await saveMany([job("a")], memory(), start(), AbortSignal.abort());
    expect(ended).toEqual({ saved: 0, problems: [], cancelled: true });
    expect(getJobOutput).not.toHaveBeenCalled();
  });

  test("holds no more than a few pieces of a video, however large it is", async () => {
    let [made, written, most] = [0, 0, 0];
    const large = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => {
          made += 1;
          most = Math.max(most, made - written);
          if (made % 500 === 0) controller.close();
          else controller.enqueue(new Uint8Array(MB / 10));
        },
      });
    fetch.mockImplementation(async () => new Response(large()));
    const target = memory();
    target.write = async (_, content) => {
      const slow = new WritableStream<Uint8Array>({
        write: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          written += 1;
        },
      });
      await content.pipeTo(slow);
      written += 1;
    };
    const progress = start();
    await saveMany(
      ["a", "b", "c", "d"].map((id) => job(id)),
      target,
      progress,
      never,
    );
    expect(progress.bytes).toBe((4 * 499 * MB) / 10);
    expect(most).toBeLessThan(20);
  });
});

test("a disk's errors are told in words", () => {
  const full = new DOMException("", "QuotaExceededError");
  expect(reasonOf(full)).toBe(
    "There is not enough room on the disk, or in what the browser keeps of the last hour.",
  );
  expect(reasonOf(new DOMException("", "NotAllowedError"))).toBe("The browser may not write there.");
  expect(reasonOf(new DOMException("", "InvalidCharacterError"))).toBe(
    "The browser writes no file of this name.",
  );
});
