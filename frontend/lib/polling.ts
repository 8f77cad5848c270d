/** When to poll for the active jobs again. All times are in milliseconds. */

export const INTERVAL = 10_000;
const LONGEST_BACK_OFF = 120_000;
const LONGEST_RETRY_AFTER = 3_600_000;
const JITTER = 0.3;

/**
 * Returns the time until the next request: ten seconds after a success. The delay doubles with each failure, up to
 * two minutes, and up to 30 % is added at random so that pages do not all come back at once after an outage. The
 * server's `retryAfter` is respected up to one hour.
 */
export function nextDelay(failures: number, retryAfter = 0, random: () => number = Math.random): number {
  if (failures === 0) return INTERVAL;
  const backOff = Math.min(INTERVAL * 2 ** failures, LONGEST_BACK_OFF);
  return Math.max(backOff, Math.min(retryAfter, LONGEST_RETRY_AFTER)) * (1 + JITTER * random());
}

/** Returns the time left until a request that is due `delay` after `last`. */
export function remaining(last: number, delay: number, now: number): number {
  return Math.max(0, last + delay - now);
}
