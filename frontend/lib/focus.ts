import type { Job } from "@/lib/job";

export const TITLE_ID = "jobs-title";

/** The element id of a job's card. */
export function cardId(jobId: string): string {
  return `job-${jobId}`;
}

/** For when what had the focus goes. */
export function focusTitle(): void {
  document.getElementById(TITLE_ID)?.focus({ preventScroll: true });
}

/** Which card the focus goes to when others have gone: the next one, or else the one before; null for none. */
export function neighbour(jobs: Job[], gone: Job[]): Job | null {
  const ids = new Set(gone.map((job) => job.id));
  const last = jobs.findLastIndex((job) => ids.has(job.id));
  const stays = (job: Job) => !ids.has(job.id);
  return jobs.slice(last + 1).find(stays) ?? jobs.slice(0, Math.max(last, 0)).findLast(stays) ?? null;
}

let target: string | null = null;

/** A dialog gives the focus back to what opened it; after a deletion that has gone. */
export const focusAfterDeletion = {
  plan(jobs: Job[], gone: Job[]): void {
    const next = neighbour(jobs, gone);
    target = next ? cardId(next.id) : TITLE_ID;
  },
  /** Whether there was anything planned. */
  apply(): boolean {
    if (target === null) return false;
    const card = document.getElementById(target);
    if (card) card.focus();
    else focusTitle();
    target = null;
    return true;
  },
};
