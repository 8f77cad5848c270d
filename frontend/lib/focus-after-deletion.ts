import { cardId, focusTitle, TITLE_ID } from "@/lib/focus";
import type { JobFields } from "@/lib/job";

/** Returns the job whose card gets the focus after a deletion: the next one, else the previous one, else null. */
export function neighbour(jobs: JobFields[], gone: JobFields[]): JobFields | null {
  const ids = new Set(gone.map((job) => job.id));
  const last = jobs.findLastIndex((job) => ids.has(job.id));
  const stays = (job: JobFields) => !ids.has(job.id);
  return jobs.slice(last + 1).find(stays) ?? jobs.slice(0, Math.max(last, 0)).findLast(stays) ?? null;
}

let target: string | null = null;

/** A dialog returns the focus to the element that opened it, but a deletion removes that element with its card. */
export const focusAfterDeletion = {
  plan(jobs: JobFields[], gone: JobFields[]): void {
    const next = neighbour(jobs, gone);
    target = next ? cardId(next.id) : TITLE_ID;
  },
  /** Moves the focus as planned. Returns false if nothing was planned. */
  apply(): boolean {
    if (target === null) return false;
    const card = document.getElementById(target);
    if (card) card.focus();
    else focusTitle();
    target = null;
    return true;
  },
};
