/** The output video of a job as a stream from Cloud Storage. Where it breaks off, it goes on. */

import { patiently, pause } from "@/lib/bulk";
import { ApiError, NetworkError } from "@/lib/errors";
import { getJobOutput } from "@/lib/job-calls";
import { type Pieces, piecesOf } from "@/lib/pieces";

/** Before each attempt to go on, in milliseconds. They begin anew with each piece that is received. */
const PAUSES = [1, 2, 4, 8, 16, 32].map((seconds) => 1000 * seconds);
/** A connection that brings nothing for so long, in milliseconds, counts as lost. */
const LONGEST_SILENCE = 60_000;

interface VideoStream {
  /** The name that the functions suggest for the file. */
  filename: string;
  /** Bytes; null if Cloud Storage does not tell. */
  size: number | null;
  /** As Cloud Storage states them, in base64. */
  checksums: Record<string, string>;
  /** If it is written through `usedAgain`, the memory of its pieces is used again. */
  content: ReadableStream<Uint8Array<ArrayBuffer>>;
}

type WithBody = Response & { body: ReadableStream<Uint8Array<ArrayBuffer>> };

/**
 * Opens the output video of a job. The content fails with what it broke off by if it cannot go on: the video was
 * replaced or deleted, or six attempts in a row bring nothing. Throws NetworkError, ApiError and SessionEnded.
 */
export async function openVideo(jobId: string, signal: AbortSignal): Promise<VideoStream> {
  const { download_url, filename } = await patiently(() => getJobOutput(jobId), signal);
  const response = await request(download_url, signal);
  const length = response.headers.get("Content-Length");
  const size = length === null ? null : Number(length);
  const version = response.headers.get("ETag");
  const goOn = async (from: number) => {
    // The URL may have expired.
    const { download_url } = await patiently(() => getJobOutput(jobId), signal);
    const rest = await request(download_url, signal, { Range: `bytes=${from}-` });
    if (rest.status === 206 && rest.headers.get("ETag") === version) return piecesOf(rest.body);
    await rest.body.cancel();
    throw new ApiError("The output video was replaced while it was saved.", rest.status, undefined);
  };

  let reader: Pieces | null = piecesOf(response.body);
  let received = 0;
  let cancelled = false;
  const content = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      for (const wait of [...PAUSES, null]) {
        if (cancelled) return;
        try {
          reader ??= await goOn(received);
          if (cancelled) return await reader.cancel();
          const { done, value } = await inTime(reader.read());
          if (cancelled) return;
          if (!done) {
            received += value.byteLength;
            return controller.enqueue(value);
          }
          if (size === null || received >= size) return controller.close();
          throw new NetworkError();
        } catch (error) {
          reader?.cancel().catch(() => undefined);
          reader = null;
          // Nothing was left to receive but the end.
          if (received === size) return controller.close();
          if (wait === null || version === null || signal.aborted || !mayPass(error)) throw error;
          await pause(wait, signal);
        }
      }
    },
    cancel: (reason) => {
      cancelled = true;
      return reader?.cancel(reason);
    },
  });
  return { filename, size, checksums: checksumsIn(response.headers.get("x-goog-hash")), content };
}

/** Does it again after a pause, six times at the most, if it fails by what may pass. */
export async function persistently<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const wait of PAUSES) {
    try {
      return await act();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
    }
    await pause(wait, signal);
  }
  return act();
}

async function request(
  url: string,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<WithBody> {
  signal.throwIfAborted();
  const line = new AbortController();
  const drop = () => line.abort(signal.reason);
  signal.addEventListener("abort", drop);
  // Nothing is kept in the browser's cache: it would hold every video a second time.
  const options = { credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store" } as const;
  const response = await inTime(fetch(url, { ...options, signal: line.signal, headers }))
    .catch((cause: unknown) => {
      line.abort();
      throw new NetworkError({ cause });
    })
    .finally(() => signal.removeEventListener("abort", drop));
  if (response.ok && response.body) return response as WithBody;
  throw new ApiError("The output video is missing or cannot be reached.", response.status, undefined);
}

/** Throws NetworkError if there is no result in time. */
async function inTime<T>(result: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NetworkError()), LONGEST_SILENCE);
  });
  try {
    return await Promise.race([result, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether it may help to ask again. A stream that breaks off fails with a TypeError. */
function mayPass(error: unknown): boolean {
  return (
    error instanceof NetworkError ||
    error instanceof TypeError ||
    (error instanceof ApiError && (error.status >= 500 || error.status === 429 || error.status === 408))
  );
}

/** Reads a header such as "crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ==". */
function checksumsIn(header: string | null): Record<string, string> {
  const pairs = (header ?? "").matchAll(/(crc32c|md5)=([\w+/]+={0,2})/g);
  return Object.fromEntries([...pairs].map(([, kind, value]) => [kind, value]));
}
