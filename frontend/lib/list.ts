/** A list that was answered, brought up to date with what has been learnt since. */

import { PAGE_SIZE } from "@/lib/api";
import { type Counts, groupOf, type Job, type JobList, type JobShareResponse } from "@/lib/job";

/** "21–40 of 72": which of the jobs under the filter are on this page. */
export function describeRange(list: JobList): string {
  const before = (list.page - 1) * PAGE_SIZE;
  return `${before + 1}–${before + list.jobs.length} of ${list.total}`;
}

/** The list without jobs that are being deleted. */
export function withoutJobs(list: JobList, gone: Job[]): JobList {
  if (gone.length === 0) return list;
  const ids = new Set(gone.map((job) => job.id));
  return { ...list, jobs: list.jobs.filter((job) => !ids.has(job.id)), total: list.total - ids.size };
}

/** The list with its job as it was answered to be linked now, if it is on the page; all else of it stays. */
export function withShare(list: JobList, share: JobShareResponse): JobList {
  return { ...list, jobs: list.jobs.map((job) => sharedAs(job, share)) };
}

export function sharedAs(job: Job, { job_id, share_url }: JobShareResponse): Job {
  return job.id === job_id ? { ...job, share_url } : job;
}

/** What is known of a job after a poll, which may have asked for others: null if it exists no more. */
export function withPolledJob(job: Job, asked: string[], answered: Job[]): Job | null {
  if (!asked.includes(job.id)) return job;
  return answered.find((one) => one.id === job.id) ?? null;
}

/** The list after a poll: what was asked for and not answered exists no more. */
export function withPolledJobs(list: JobList, asked: string[], answered: Job[]): JobList {
  const now = new Map(answered.map((job) => [job.id, job]));
  const gone = list.jobs.filter((job) => asked.includes(job.id) && !now.has(job.id));
  const rest = withoutJobs(list, gone);
  return { ...rest, jobs: rest.jobs.map((job) => now.get(job.id) ?? job) };
}

/** Those of the answered jobs that had another status before. */
export function changedJobs(before: Job[], answered: Job[]): Job[] {
  const statuses = new Map(before.map((job) => [job.id, job.status]));
  return answered.filter((job) => statuses.has(job.id) && statuses.get(job.id) !== job.status);
}

/** The counts once `before` have become `after`; a job that is missing from `after` has gone. */
export function recount(counts: Counts, before: Job[], after: Job[]): Counts {
  const result = { ...counts };
  const count = (jobs: Job[], step: number) => {
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
