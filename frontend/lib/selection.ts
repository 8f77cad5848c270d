import type { JobFields } from "@/lib/job";

export type JobId = Pick<JobFields, "id">;

export interface Chosen<T extends JobFields> {
  ids: ReadonlySet<string>;
  /** Jobs that may be chosen although they are not shown. */
  elsewhere: T[];
  /** The id of the job that was chosen or left out last. */
  last: string | null;
}

/** Returns what is chosen without these jobs. If they come back, nobody has chosen them. */
export function withoutChosen<T extends JobFields>(chosen: Chosen<T>, jobs: JobId[]): Chosen<T> {
  return { ...chosen, ids: new Set([...chosen.ids].filter((id) => jobs.every((job) => job.id !== id))) };
}

/**
 * Returns what is chosen of jobs that were shown and no longer are: they may be on the next page, match no longer, or be
 * deleted. Those that are `gone` because they were deleted here, and may come back, are left out.
 */
export function lostFrom<T extends JobFields>(
  { ids, elsewhere }: Chosen<T>,
  shown: JobFields[],
  gone: (job: JobId) => boolean,
): JobId[] {
  const known = new Set([...shown, ...elsewhere].map((job) => job.id));
  return [...ids]
    .filter((id) => !known.has(id))
    .map((id) => ({ id }))
    .filter((job) => !gone(job));
}

/** Returns what is chosen after this job was chosen or left out; with `range`, together with all up to the last one. */
export function choose<T extends JobFields>(
  chosen: Chosen<T>,
  shown: JobFields[],
  job: JobFields,
  on: boolean,
  range: boolean,
): Chosen<T> {
  const place = shown.findIndex((one) => one.id === job.id);
  const last = shown.findIndex((one) => one.id === chosen.last);
  const between =
    range && last !== -1 ? shown.slice(Math.min(place, last), Math.max(place, last) + 1) : [job];
  const ids = new Set(chosen.ids);
  for (const { id } of between) on ? ids.add(id) : ids.delete(id);
  return { ...chosen, ids, last: job.id };
}
