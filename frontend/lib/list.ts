/** Updates to a list that is already loaded. */

import { PAGE_SIZE } from "@/lib/api";
import {
  type Change,
  type Counts,
  type FoundList,
  groupOf,
  isActive,
  type Job,
  type JobFields,
  type Newest,
  type TrashList,
} from "@/lib/job";
import { parseTime } from "@/lib/time";
import type { View } from "@/lib/view";

/** The most jobs that the functions return at once, and the most ids that one request may name. */
export const LARGEST_PAGE = 100;

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
 * Whether jobs have been added or deleted elsewhere, so that the list has to be loaded again. `jobs` and `total` are the
 * newest job that matches and how many match. In a list of some `statuses`, a job whose status changes to another stays
 * where the user saw it change, and one in progress may have changed since the last poll, which the next poll tells: neither
 * is a reason to load the list.
 */
export function isOutdated(
  list: FoundList,
  { jobs, total }: Newest,
  { statuses }: Pick<View, "statuses">,
): boolean {
  const [newest] = jobs;
  const added = newest !== undefined && list.jobs.every((job) => job.id !== newest.id);
  if (statuses.length === 0) return added || total !== list.total;
  const matching = list.jobs.filter((job) => statuses.includes(groupOf(job.status)));
  const known = list.total - (list.jobs.length - matching.length);
  return added || total > known || total < known - matching.filter(isActive).length;
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

/** Returns the total that counts tell of a list, if it is of all jobs or of some statuses, else null. */
export function countedTotal({ counts }: { counts?: Counts | undefined }, view: View): number | null {
  const { search, shared, statuses, types, from, to } = view;
  if (!counts || search || shared || types.length > 0 || from || to) return null;
  return statuses.length === 0 ? counts.all : statuses.reduce((sum, status) => sum + counts[status], 0);
}

/** Whether counts tell another total of a list. While jobs are being deleted, which they still contain, they do not tell. */
export function contradicts(
  { total }: Pick<FoundList, "total">,
  { counts, deleting }: { counts: Counts | undefined; deleting: JobFields[] },
  view: View,
): boolean {
  const told = countedTotal({ counts }, view);
  return deleting.length === 0 && told !== null && told !== total;
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

/** Returns the job with a change of its fields, if it is the one that is changed. */
export function withChange(job: Job, change: Change): Job {
  return job.id === change.id ? { ...job, ...change } : job;
}

/** Returns the jobs with changes of some of them, oldest first. */
export function withChanges(jobs: Job[], changes: Change[]): Job[] {
  return jobs.map((job) => changes.reduce(withChange, job));
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
      result.all += step;
      result[groupOf(status)] += step;
    }
  };
  count(before, -1);
  count(after, +1);
  return result;
}

/** Returns the counts after a poll for these jobs of the list. What it tells of others is left out. */
export function recountPolled(counts: Counts, listed: Job[], answered: Job[]): Counts {
  const isListed = ({ id }: Job) => listed.some((job) => job.id === id);
  return recount(counts, listed, answered.filter(isListed));
}

/**
 * Whether a poll for these jobs beside the list tells that one has another status or is gone. The counts may contain that
 * already, as they may be younger than what is known of the jobs: they have to be loaded again.
 */
export function movedApart(apart: Job[], answered: Job[]): boolean {
  return apart.some(({ id, status }) => answered.find((job) => job.id === id)?.status !== status);
}

/** Returns the jobs as the list has them now, and as they were if it does not: it may have changed since they were chosen. */
export function asListed(jobs: JobFields[], list: FoundList | undefined): JobFields[] {
  const now = new Map(list?.jobs.map((job) => [job.id, job]));
  return jobs.map((job) => now.get(job.id) ?? job);
}
