/** How long the user's jobs of a kind took lately. All times are in milliseconds. */

import { isActive, type JobFields, stalledSince } from "@/lib/job";
import { formatElapsed, HOUR, MINUTE, parseTime, SECOND } from "@/lib/time";

/** Of each kind, the last so many jobs count. */
const MOST = 20;
/** With fewer, what they took says too little about the next one: the slowest of four may be anything. */
const LEAST = 5;

interface Usual {
  /** Eight of ten jobs took between these. */
  from: number;
  to: number;
  slowest: number;
}

interface Took {
  id: string;
  completed: number;
  span: number;
}

/** What completed jobs took, from creation to completion, by type and resolution. */
export class Durations {
  #kinds = new Map<string, Took[]>();
  /** Jobs that were worked on again. From their creation to their end, there is also the time in between. */
  #again = new Set<string>();

  /** Takes what is new from jobs that the page has read. */
  note(jobs: JobFields[]): void {
    for (const job of jobs) {
      if (isAgain(job)) this.#again.add(job.id);
      if (this.#again.has(job.id)) continue;
      const [created, completed] = [parseTime(job.created_at), parseTime(job.completed_at)];
      if (job.status !== "completed" || created === null || completed === null) continue;
      const known = this.#kinds.get(kindOf(job)) ?? [];
      if (completed <= created || known.some((one) => one.id === job.id)) continue;
      const all = [...known, { id: job.id, completed, span: completed - created }];
      all.sort((one, other) => other.completed - one.completed);
      this.#kinds.set(kindOf(job), all.slice(0, MOST));
    }
  }

  /** Returns what jobs of this one's kind usually took, or null if too few are known. */
  of(job: JobFields): Usual | null {
    const spans = (this.#kinds.get(kindOf(job)) ?? []).map((one) => one.span).sort((a, b) => a - b);
    const [from, to, slowest] = [percentile(spans, 0.1), percentile(spans, 0.9), spans.at(-1)];
    if (spans.length < LEAST || from === undefined || to === undefined || slowest === undefined) return null;
    return { from, to, slowest };
  }
}

export const durations = new Durations();

/** Whether a job in progress has been completed before. */
function isAgain(job: JobFields): boolean {
  return isActive(job) && parseTime(job.completed_at) !== null;
}

function kindOf(job: JobFields): string {
  return JSON.stringify([job.job_type, job.resolution]);
}

/** The nearest rank: the smallest value that at least this part of them does not exceed. */
function percentile(sorted: number[], part: number): number | undefined {
  return sorted[Math.ceil(part * sorted.length) - 1];
}

interface Note {
  text: string;
  /** Whether it is longer than it should be. */
  late: boolean;
}

/** Returns what there is to say beside a job's elapsed time, or null. */
export function noteOn(job: JobFields, usual: Usual | null, now: number): Note | null {
  const stalled = stalledSince(job, now);
  if (stalled !== null) return { text: `Stalled: no change for ${formatElapsed(now - stalled)}`, late: true };
  const since = parseTime(job.created_at);
  if (usual === null || since === null || isAgain(job)) return null;
  if (now - since > usual.slowest) return { text: "Taking longer than usual", late: true };
  return { text: `usually ${formatRange(usual.from, usual.to)}`, late: false };
}

/** Formats a range of times: "45–60 s", "2–4 min", "3 h". */
export function formatRange(from: number, to: number): string {
  const [unit, step, name] =
    to < 2 * MINUTE ? [SECOND, 5, "s"] : to < 2 * HOUR ? [MINUTE, 1, "min"] : [HOUR, 1, "h"];
  const [least, most] = [from, to].map((span) => Math.max(1, Math.round(span / unit / step)) * step);
  return `${least === most ? most : `${least}–${most}`} ${name}`;
}
