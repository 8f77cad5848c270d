import { ApiError } from "@/lib/errors";
import { underWay } from "@/lib/late";
import { readRecord } from "@/lib/session";

/** How many requests are under way at the same time. */
const AT_ONCE = 4;
/** How often the service may ask to wait before a request is given up. */
const MOST_WAITS = 5;
/** The longest that the service may ask to wait, in milliseconds. It is longer where a job, and not the user, asks too often. */
const LONGEST_WAIT = 60_000;

/**
 * Does the work. Meanwhile the page does not reload by itself and, if it `asks`, the browser asks before it leaves the
 * page, unless the session has ended or another user has signed in.
 */
export async function keepingPage<T>(asks: boolean, work: () => Promise<T>): Promise<T> {
  const user = readRecord()?.userId;
  const askBeforeLeaving = (event: BeforeUnloadEvent) => {
    if (user === undefined || readRecord()?.userId !== user) return;
    event.preventDefault();
    event.returnValue = true; // for Chrome before 119
  };
  if (asks) window.addEventListener("beforeunload", askBeforeLeaving);
  underWay.count += 1;
  try {
    return await work();
  } finally {
    underWay.count -= 1;
    window.removeEventListener("beforeunload", askBeforeLeaving);
  }
}

/**
 * Does the work for each item, a few at a time. An error ends it, and is thrown. Meanwhile the page is kept, as by
 * `keepingPage`, which asks if there are several items.
 */
export async function fewAtOnce<T>(
  items: T[],
  work: (item: T) => Promise<void>,
  atOnce: number = AT_ONCE,
): Promise<void> {
  const waiting = [...items];
  const workThrough = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await keepingPage(items.length > 1, () => Promise.all(Array.from({ length: atOnce }, workThrough)));
}

/** Ends after so many milliseconds, or at once with the signal's reason, if it is aborted. Leaves nothing at the signal. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const end = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Makes the request. If that was too many at once (429), waits as long as the service asks, if not too long, and tries again. */
export async function patiently<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await request();
    } catch (error) {
      const busy = error instanceof ApiError && error.status === 429 && waits < MOST_WAITS;
      const wait = (busy && error.retryAfter) || 1000;
      if (!busy || wait > LONGEST_WAIT) throw error;
      await pause(wait, signal);
    }
  }
}
