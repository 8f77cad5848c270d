/** When to ask again. All times are in milliseconds. */

import { ApiError, SessionEnded } from "@/lib/errors";
import { type Job, stalledSince } from "@/lib/job";
import { reloadUnseen } from "@/lib/late";
import { serverNow } from "@/lib/server-time";
import { isTelling } from "@/lib/telling";
import { HOUR } from "@/lib/time";

/** Between two polls for the active jobs. */
export const INTERVAL = 10_000;
/** A list that is older than this is loaded again when the user comes back to the page. */
const OLD = 30_000;
const FIRST_LOOK = 60_000;
const LONGEST_LOOK = 300_000;
const LONGEST_BACK_OFF = 120_000;
const LONGEST_RETRY_AFTER = HOUR;
const JITTER = 0.3;

/** Returns the time until the next request, after this many answers since the list was loaded. */
export type Pace = (answers: number) => number;

export const steady: Pace = () => INTERVAL;

/** After a failed load, which keeps polls from being asked. Each answer is one more failure, as the load tells of it. */
export const patient: Pace = (failures) => backOff(failures, 2 * INTERVAL);

/** A second at first, then twice as long each time, up to ten seconds. */
export const brisk: Pace = (answers) => Math.min(1000 * 2 ** answers, INTERVAL);

/** A minute at first, then half as long again each time, up to five minutes. */
export const slowing: Pace = (answers) => Math.min(FIRST_LOOK * 1.5 ** answers, LONGEST_LOOK);

/** A minute, which is as often as browsers run the timers of a hidden page: https://developer.chrome.com/blog/timer-throttling-in-chrome-88 */
export const unhurried: Pace = () => FIRST_LOOK;

/** Whether anything is asked. A hidden page asks only if its user wants to be told when a job is done. */
export function asks(): boolean {
  return document.visibilityState === "visible" || isTelling();
}

/**
 * Waits until anything is asked. A page that is opened while hidden, as a prerendered one is, waits until it is shown or
 * its user wants to be told.
 */
export async function untilItAsks(): Promise<void> {
  while (!asks()) {
    const change = new AbortController();
    const { signal } = change;
    await new Promise((resolve) => {
      document.addEventListener("visibilitychange", resolve, { signal });
      window.addEventListener("storage", resolve, { signal }); // Another tab may have turned notifications on.
    });
    change.abort();
  }
}

/**
 * Calls `act` once the page was visible and online for this time on end, in milliseconds. Returns a function that cancels
 * this.
 */
export function afterBeingLookedAt(delay: number, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new AbortController();
  const { signal } = over;
  const begin = () => {
    clearTimeout(timer);
    if (document.visibilityState !== "visible" || !navigator.onLine) return;
    timer = setTimeout(() => {
      over.abort();
      act();
    }, delay);
  };
  document.addEventListener("visibilitychange", begin, { signal });
  window.addEventListener("online", begin, { signal });
  window.addEventListener("offline", begin, { signal });
  begin();
  return () => {
    over.abort();
    clearTimeout(timer);
  };
}

/**
 * Returns at what pace to ask for jobs in progress, and for which of them after this many answers. Beside others that
 * move, those that have stalled are asked for every five minutes.
 */
export function pollsOf(active: Job[], visible: boolean): { polled: (answers: number) => Job[]; pace: Pace } {
  const moving = active.filter((job) => stalledSince(job, serverNow()) === null);
  if (moving.length === 0) return { polled: () => active, pace: slowing };
  const pace = visible ? steady : unhurried;
  return {
    polled: (answers) => ((answers + 1) % (LONGEST_LOOK / pace(answers)) > 0 ? moving : active),
    pace,
  };
}

/**
 * Returns the time until the next request after this many failures in a row. It doubles with each failure, up to two
 * minutes or the usual `pace`, and up to 30 % is added at random so that pages do not all come back at once after an
 * outage. The server's `retryAfter` is respected up to one hour.
 */
export function backOff(
  failures: number,
  pace: number,
  retryAfter = 0,
  random: () => number = Math.random,
): number {
  const doubled = Math.max(pace, Math.min(INTERVAL * 2 ** failures, LONGEST_BACK_OFF));
  return Math.max(doubled, Math.min(retryAfter, LONGEST_RETRY_AFTER)) * (1 + JITTER * random());
}

/** Returns the time left until a request that is due `delay` after `last`. A clock that was set back does not make it longer. */
export function remaining(last: number, delay: number, now: number): number {
  return Math.min(delay, Math.max(0, last + delay - now));
}

/**
 * Whether a list that was loaded at this time, or never (0), is loaded again when the user comes back. If that time is yet
 * to come, the clock was set back, and nobody knows how old the list is.
 */
export function isOld(loadedAt: number, now: number): boolean {
  return now - loadedAt > OLD || now < loadedAt;
}

/** What outlives pauses. */
export interface Asked {
  /** The time of the last request, also of one that somebody else made, in milliseconds since 1970. */
  at: number;
  /** The failures in a row, and the delay that they led to. */
  failures: number;
  delay: number;
}

export const unasked = (): Asked => ({ at: 0, failures: 0, delay: 0 });

interface Asking {
  /** Gets how many answers there were before. */
  ask: (signal: AbortSignal, answers: number) => Promise<void>;
  pace: Pace;
  asked: Asked;
  /** Gets the error after the second failure in a row, and undefined after a success. */
  onFailure: (error: unknown) => void;
}

/** Asks again and again, at this pace and less often after failures, until the returned function is called. */
export function keepAsking({ ask, pace, asked, onFailure }: Asking): () => void {
  const controller = new AbortController();
  let answers = 0;
  let timer: ReturnType<typeof setTimeout>;

  const schedule = () => {
    const delay = asked.failures > 0 ? asked.delay : pace(answers);
    timer = setTimeout(run, remaining(asked.at, delay, Date.now()));
  };
  const run = async () => {
    asked.at = Date.now();
    try {
      await ask(controller.signal, answers);
      answers += 1;
      asked.failures = 0;
      onFailure(undefined);
    } catch (error) {
      if (controller.signal.aborted || error instanceof SessionEnded) return;
      reloadUnseen(error);
      asked.failures += 1;
      const retryAfter = error instanceof ApiError ? error.retryAfter : undefined;
      asked.delay = backOff(asked.failures, pace(answers), retryAfter);
      if (asked.failures > 1) onFailure(error);
    }
    if (!controller.signal.aborted) schedule();
  };
  schedule();
  return () => {
    controller.abort();
    clearTimeout(timer);
  };
}
