import { ApiError } from "@/lib/errors";

/** How many requests are under way at the same time. */
const AT_ONCE = 4;
/** How often the service may ask to wait before a request is given up. */
const MOST_WAITS = 5;

/** Does the work for each item, a few at a time. An error ends it, and is thrown. */
export async function fewAtOnce<T>(
  items: T[],
  work: (item: T) => Promise<void>,
  atOnce: number = AT_ONCE,
): Promise<void> {
  const waiting = [...items];
  const workThrough = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, workThrough));
}

/** Makes the request. If that was too many at once (429), waits as long as the service asks, and tries again. */
export async function patiently<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await request();
    } catch (error) {
      const busy = error instanceof ApiError && error.status === 429 && waits < MOST_WAITS;
      if (!busy) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.retryAfter ?? 1000));
      signal?.throwIfAborted();
    }
  }
}
