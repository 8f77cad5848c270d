/** Jobs that are coming back from the trash. */

import { type FoundList, groupOf, type Job, type JobFields } from "@/lib/job";
import { parseTime } from "@/lib/time";
import { isNarrowed, type View } from "@/lib/view";

export interface Returning {
  job: JobFields;
  /** Which of the user's requests it belongs to. A later one can ask for the job again, if it was deleted again. */
  request: symbol;
  /** Whether the functions have accepted the restore. */
  accepted: boolean;
}

/**
 * Returns the list with jobs that are coming back from the trash. Each is in its place if that is on this page, and is
 * counted if it belongs to the list at all. A search by name and a list of shared jobs, some types, days or another order have them
 * when they are loaded again.
 */
export function withReturning(list: FoundList, returning: Job[], view: View): FoundList {
  const { statuses, search } = view;
  if (list.by === "name" || view.shared || isNarrowed({ ...view, statuses: [] })) return list;
  const belongs = (job: Job) =>
    search ? job.id.startsWith(search) : statuses.length === 0 || statuses.includes(groupOf(job.status));
  const missing = returning.filter((job) => belongs(job) && list.jobs.every((one) => one.id !== job.id));
  const comesFirst = (job: Job, other: Job) =>
    search ? job.id < other.id : (parseTime(job.created_at) ?? 0) > (parseTime(other.created_at) ?? 0);
  const jobs = [...list.jobs];
  for (const job of missing) {
    const next = jobs.findIndex((other) => comesFirst(job, other));
    const place = next === -1 ? jobs.length : next;
    const earlier = place === 0 && list.page > 1;
    const later = place === jobs.length && list.next_cursor !== null;
    if (!earlier && !later) jobs.splice(place, 0, job);
  }
  return { ...list, jobs, total: list.total + missing.length };
}
