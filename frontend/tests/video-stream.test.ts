import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError, NetworkError, SessionEnded } from "@/lib/errors";
import { getJobOutput } from "@/lib/job-calls";
import { openVideo } from "@/lib/video-stream";

vi.mock("@/lib/job-calls", () => ({ getJobOutput: vi.fn() }));

const VIDEO = new TextEncoder().encode("0123456789");
const fetch = vi.fn<typeof globalThis.fetch>();
const { signal } = new AbortController();

/** The type of bodies: "bytes" where the browser can read into memory that it is given, as Chromium and Firefox can. */
let type: "bytes" | undefined;

interface Source {
  start?: (stream: Happens) => void;
  pull?: (stream: Happens) => void;
  cancel?: () => void;
}
type Happens = Pick<ReadableStreamDefaultController<Uint8Array>, "enqueue" | "close" | "error">;

function stream({ start, pull, cancel }: Source): ReadableStream<Uint8Array<ArrayBuffer>> {
  if (type === undefined) return new ReadableStream({ start, pull, cancel } as UnderlyingDefaultSource);
  const happens = (controller: ReadableByteStreamController): Happens => ({
    enqueue: (piece) => controller.enqueue(piece as Uint8Array<ArrayBuffer>),
    close: () => {
      controller.close();
      controller.byobRequest?.respond(0);
    },
    error: (reason) => controller.error(reason),
  });
  return new ReadableStream({
    type,
    start: (controller) => start?.(happens(controller)),
    pull: (controller) => pull?.(happens(controller)),
    ...(cancel && { cancel }),
  });
}

/** A response whose body stops at `until`: it ends, as it does at the end of the video, or it breaks off. */
function part(
  from: number,
  until: number,
  { etag = '"1"', status = from > 0 ? 206 : 200, ends = until === VIDEO.length } = {},
) {
  const pieces = [...VIDEO.slice(from, until)].map((byte) => new Uint8Array([byte]));
  const body = stream({
    pull: (stream) => {
      const piece = pieces.shift();
      if (piece) return stream.enqueue(piece);
      if (ends) stream.close();
      else stream.error(new TypeError("network error"));
    },
  });
  const headers = { "Content-Length": String(VIDEO.length - from), ...(etag && { ETag: etag }) };
  return new Response(body, { status, headers });
}

const answers = (...responses: (Response | Error)[]) => {
  for (const one of responses) {
    if (one instanceof Error) fetch.mockRejectedValueOnce(one);
    else fetch.mockResolvedValueOnce(one);
  }
};
/** What was asked for: the URL, and from which byte on. */
const asked = () =>
  fetch.mock.calls.map(([url, init]) => [url, new Headers(init?.headers).get("Range") ?? "all"]);
/** Reads the whole video. Time flies meanwhile. */
async function read(by: AbortSignal = signal): Promise<string> {
  const { content } = await openVideo("a", by);
  const text = new Response(content).text();
  text.catch(() => undefined);
  await vi.runAllTimersAsync();
  return text;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", fetch);
  let urls = 0;
  vi.mocked(getJobOutput).mockImplementation(async () => {
    urls += 1;
    return { job_id: "a", download_url: `https://storage.test/${urls}`, filename: "nuumee-a.mp4" };
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.resetAllMocks();
});

describe.each(["bytes", undefined] as const)("of a body of the type %s", (of) => {
  beforeEach(() => {
    type = of;
  });

  describe("a video that breaks off", () => {
    test("goes on at the byte it has reached, with a new URL, as often as there is progress", async () => {
      const parts = Array.from({ length: VIDEO.length }, (_, number) => part(number, number + 1));
      answers(...parts);
      expect(await read()).toBe("0123456789");
      expect(asked()).toEqual([
        ["https://storage.test/1", "all"],
        ...Array.from({ length: 9 }, (_, index) => [
          `https://storage.test/${index + 2}`,
          `bytes=${index + 1}-`,
        ]),
      ]);
    });

    test("goes on after it has ended too early, and after the connection and the services were away", async () => {
      vi.mocked(getJobOutput)
        .mockResolvedValueOnce({ job_id: "a", download_url: "https://storage.test/", filename: "" })
        .mockRejectedValueOnce(new NetworkError());
      answers(
        part(0, 4, { ends: true }),
        new TypeError("Failed to fetch"),
        ...[503, 429, 408].map((status) => new Response("", { status })),
        part(4, 10),
      );
      expect(await read()).toBe("0123456789");
    });

    test("is whole if that was after its last byte", async () => {
      answers(part(0, 10, { ends: false }));
      expect(await read()).toBe("0123456789");
      expect(fetch).toHaveBeenCalledOnce();
    });

    test("fails with the cause after six attempts without a byte, in a minute", async () => {
      answers(part(0, 4));
      fetch.mockRejectedValue(new TypeError("Failed to fetch"));
      const began = Date.now();
      await expect(read()).rejects.toBeInstanceOf(NetworkError);
      expect([fetch.mock.calls.length, (Date.now() - began) / 1000]).toEqual([7, 63]);
    });

    test.each([
      ["another version of it", part(4, 10, { etag: '"2"' }), ApiError],
      ["all of it again", part(0, 10), ApiError],
      ["that it is gone", new Response("", { status: 404 }), ApiError],
    ])("fails if the answer is %s", async (_, answer, error) => {
      answers(part(0, 4), answer);
      await expect(read()).rejects.toBeInstanceOf(error);
      expect(fetch).toHaveBeenCalledTimes(2);
    });

    test("fails at once if the session has ended, or if no version tells whether it is still the same", async () => {
      answers(part(0, 4), part(0, 4, { etag: "" }));
      vi.mocked(getJobOutput)
        .mockResolvedValueOnce({ job_id: "a", download_url: "https://storage.test/", filename: "" })
        .mockRejectedValueOnce(new SessionEnded());
      await expect(read()).rejects.toBeInstanceOf(SessionEnded);
      await expect(read()).rejects.toThrow("network error");
      expect(fetch).toHaveBeenCalledTimes(2);
    });

    test("is not asked for again once it is cancelled", async () => {
      const controller = new AbortController();
      answers(part(0, 4));
      setTimeout(() => controller.abort(new DOMException("", "AbortError")), 500);
      await expect(read(controller.signal)).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
      expect(fetch).toHaveBeenCalledOnce();
    });
  });

  test("a video that is cancelled before its URL is there is not asked for", async () => {
    const controller = new AbortController();
    vi.mocked(getJobOutput).mockImplementationOnce(async () => {
      controller.abort(new DOMException("", "AbortError"));
      return { job_id: "a", download_url: "https://storage.test/", filename: "" };
    });
    await expect(openVideo("a", controller.signal)).rejects.toThrow(
      expect.objectContaining({ name: "AbortError" }),
    );
    expect(fetch).not.toHaveBeenCalled();
  });

  describe("a connection that brings nothing", () => {
    /** A response that brings the bytes before `until`, and then nothing. */
    const silent = (from: number, until: number) => {
      const cancel = vi.fn();
      const start = (stream: Happens) => stream.enqueue(VIDEO.slice(from, until));
      const headers = { "Content-Length": String(VIDEO.length - from), ETag: '"1"' };
      const status = from > 0 ? 206 : 200;
      return { cancel, answer: new Response(stream({ start, cancel }), { status, headers }) };
    };

    test("is lost after a minute, and another goes on at the byte that was reached", async () => {
      const { answer, cancel } = silent(0, 4);
      const began = Date.now();
      answers(answer);
      const dropped = new Promise<AbortSignal>((resolve) => {
        fetch.mockImplementationOnce((_, init) => {
          if (init?.signal) resolve(init.signal);
          return new Promise(() => undefined);
        });
      });
      answers(part(4, 10));
      expect(await read()).toBe("0123456789");
      expect(cancel).toHaveBeenCalledOnce();
      expect((await dropped).aborted).toBe(true);
      expect(asked().map(([, from]) => from)).toEqual(["all", "bytes=4-", "bytes=4-"]);
      // Two silent minutes, and the pauses after each.
      expect((Date.now() - began) / 1000).toBe(60 + 1 + 60 + 2);
    });

    test("is left after the last byte, and the video is whole", async () => {
      const { answer, cancel } = silent(0, 10);
      answers(answer);
      expect(await read()).toBe("0123456789");
      expect(cancel).toHaveBeenCalledOnce();
      expect(fetch).toHaveBeenCalledOnce();
    });

    test("is left and never asked for again when the stream is cancelled", async () => {
      const { answer, cancel } = silent(0, 4);
      answers(answer);
      const { content } = await openVideo("a", signal);
      const reader = content.getReader();
      await reader.read();
      const next = reader.read();
      await reader.cancel();
      await vi.runAllTimersAsync();
      expect((await next).done).toBe(true);
      expect(cancel).toHaveBeenCalledOnce();
      expect(fetch).toHaveBeenCalledOnce();
    });

    test("is left when it comes after the stream was cancelled", async () => {
      const { answer, cancel } = silent(4, 10);
      answers(part(0, 4, { ends: true }));
      fetch.mockImplementationOnce(() => new Promise((resolve) => setTimeout(() => resolve(answer), 5_000)));
      const { content } = await openVideo("a", signal);
      const reader = content.getReader();
      for (let bytes = 0; bytes < 4; bytes += 1) await reader.read();
      reader.read();
      await vi.advanceTimersByTimeAsync(2_000);
      await reader.cancel();
      expect(cancel).not.toHaveBeenCalled();
      await vi.runAllTimersAsync();
      expect(cancel).toHaveBeenCalledOnce();
      expect(fetch).toHaveBeenCalledTimes(2);
    });
  });
});
