/** When to ask for the active jobs again. */

export const INTERVAL = 10_000;
const LONGEST = 120_000;
const LONGEST_ASKED_FOR = 3_600_000;
const JITTER = 0.3;

/**
 * Milliseconds until the next request: ten seconds after an answer; after errors twice as long each time, up to
 * two minutes, and up to a third more at random, so that all the pages which met an outage do not come back at
 * once. Never before `retryAfter` (milliseconds, from the server) is over, if that is at most an hour.
 */
export function nextDelay(failures: number, retryAfter = 0, random: () => number = Math.random): number {
  if (failures === 0) return INTERVAL;
  const backOff = Math.min(INTERVAL * 2 ** failures, LONGEST);
  return Math.max(backOff, Math.min(retryAfter, LONGEST_ASKED_FOR)) * (1 + JITTER * random());
}

/** Milliseconds to wait now, for a request that was due `delay` after `last`; both in milliseconds. */
export function remaining(last: number, delay: number, now: number): number {
  return Math.max(0, last + delay - now);
}
