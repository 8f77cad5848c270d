/** Updates to a list that is already loaded. */

import { PAGE_SIZE } from "@/lib/api";
import {
  type Counts,
  type FoundList,
  groupOf,
  type Job,
  type JobFields,
  type JobName,
  type JobShareResponse,
  type Newest,
  type TrashList,
} from "@/lib/job";
import { parseTime } from "@/lib/time";
import { isNarrowed, type View } from "@/lib/view";

/** The most jobs that the functions return at once. */
const LARGEST_PAGE = 100;

/** Returns the range of jobs on this page, such as "21–40 of 72". */
export function describeRange(list: FoundList | TrashList): string {
  const before = beforeOf(list);
  return `${before + 1}–${before + list.jobs.length} of ${list.total}`;
}

/** How many jobs come before this page. */
function beforeOf(list: FoundList | TrashList): number {
  return "before" in list ? list.before : (list.page - 1) * PAGE_SIZE;
}

/**
 * Whether jobs have been added or deleted elsewhere, so that the list has to be loaded again. In a list of some statuses,
 * a job that now has another stays where the user saw it change.
 */
export function isOutdated(
  list: FoundList,
  { jobs, total }: Newest,
  { statuses }: Pick<View, "statuses">,
): boolean {
  const [newest] = jobs;
  const added = newest !== undefined && list.jobs.every((job) => job.id !== newest.id);
  return added || total > list.total || (statuses.length === 0 && total < list.total);
}

/** Returns how many jobs to load so that those of the list stay in it, however many new ones come before them. */
export function roomFor(list: FoundList, { total }: Newest): number {
  return Math.min(LARGEST_PAGE, Math.max(PAGE_SIZE, list.jobs.length + Math.max(0, total - list.total)));
}

/** Returns the jobs that were created after `newest`, in milliseconds since 1970. */
export function arrivals(newest: number, jobs: Job[]): Job[] {
  return jobs.filter((job) => newestOf([job]) > newest);
}

/** Returns when the newest of the jobs was created, in milliseconds since 1970; 0 if none tells. */
export function newestOf(jobs: Job[]): number {
  return Math.max(0, ...jobs.map((job) => parseTime(job.created_at) ?? 0));
}

/** Returns the list without these jobs, which are on its page. */
export function withoutJobs<T extends { jobs: JobFields[]; total: number }>(list: T, gone: JobFields[]): T {
  if (gone.length === 0) return list;
  const ids = new Set(gone.map((job) => job.id));
  return { ...list, jobs: list.jobs.filter((job) => !ids.has(job.id)), total: list.total - ids.size };
}

/** Returns the total that the counts that came with a list tell, if it is of all jobs or of some statuses, else null. */
export function countedTotal({ counts }: Pick<FoundList, "counts">, view: View): number | null {
  const { search, shared, statuses, types, from, to } = view;
  if (!counts || search || shared || types.length > 0 || from || to) return null;
  const { all, ...byStatus } = counts;
  if (statuses.length === 0) return all;
  const total = statuses.reduce((sum, status) => sum + (byStatus[status] ?? Number.NaN), 0);
  return Number.isNaN(total) ? null : total;
}

/** When a job was deleted, and the list that showed it. */
export interface Dropped {
  at: number;
  list: string;
}

/** Returns how many jobs were deleted from the list after one time and until another. */
export function leftBetween(from: number, until: number, list: string, dropped: Iterable<Dropped>): number {
  return [...dropped].filter((one) => one.list === list && one.at > from && one.at <= until).length;
}

/**
 * Returns the page with `total`, as far as what it shows allows, in place of what its cursor carries: the total of the
 * first page, which jobs may have joined or left since. One without jobs, from which the user is led back, stays.
 */
export function withTotal<T extends FoundList | TrashList>(list: T, total: number): T {
  if (list.jobs.length === 0) return list;
  const end = beforeOf(list) + list.jobs.length;
  return { ...list, total: list.next_cursor === null ? end : Math.max(total, end + 1) };
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

/** Returns the list with the job's new share link, if the job is on the page. Nothing else changes. */
export function withShare(list: FoundList, share: JobShareResponse): FoundList {
  return { ...list, jobs: list.jobs.map((job) => sharedAs(job, share)) };
}

export function sharedAs(job: Job, share: JobShareResponse): Job {
  const { job_id, share_url, expires_at: share_expires_at = null, share_name = job.share_name } = share;
  return job.id === job_id ? { ...job, share_url, share_expires_at, share_name } : job;
}

/** Returns the list with the job's new name, if the job is on the page. */
export function withName(list: FoundList, renamed: JobName): FoundList {
  return { ...list, jobs: list.jobs.map((job) => renamedAs(job, renamed)) };
}

export function renamedAs(job: Job, { id, name }: JobName): Job {
  return job.id === id ? { ...job, name } : job;
}

/** Returns the jobs with the names that some of them were given, oldest first, after these jobs were asked for. */
export function withNames(jobs: Job[], renamed: JobName[]): Job[] {
  return jobs.map((job) => renamed.reduce(renamedAs, job));
}

/** Returns the job after a poll for the ids `asked`: unchanged if it was not among them, null if it no longer exists. */
export function withPolledJob(job: Job, asked: string[], answered: Job[]): Job | null {
  if (!asked.includes(job.id)) return job;
  return answered.find((one) => one.id === job.id) ?? null;
}

/** Returns the list after a poll. A job that was asked for and is missing from the response no longer exists. */
export function withPolledJobs(list: FoundList, asked: string[], answered: Job[]): FoundList {
  const now = new Map(answered.map((job) => [job.id, job]));
  const gone = list.jobs.filter((job) => asked.includes(job.id) && !now.has(job.id));
  const rest = withoutJobs(list, gone);
  return { ...rest, jobs: rest.jobs.map((job) => now.get(job.id) ?? job) };
}

/** Returns the counts after the jobs `before` became `after`. A job missing from `after` has been deleted. */
export function recount(counts: Counts, before: JobFields[], after: JobFields[]): Counts {
  const result = { ...counts };
  const count = (jobs: JobFields[], step: number) => {
    for (const { status } of jobs) {
      const group = groupOf(status);
      const known = result[group];
      result.all += step;
      if (known !== undefined) result[group] = known + step;
    }
  };
  count(before, -1);
  count(after, +1);
  return result;
}
