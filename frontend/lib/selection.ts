import type { JobFields } from "@/lib/job";

export interface Chosen<T extends JobFields> {
  ids: ReadonlySet<string>;
  /** Jobs that may be chosen although they are not shown. */
  elsewhere: T[];
  /** The id of the job that was chosen or left out last. */
  last: string | null;
}

/** Returns what is chosen without a job that was deleted. If it comes back, nobody has chosen it. */
export function withoutChosen<T extends JobFields>(chosen: Chosen<T>, { id }: JobFields): Chosen<T> {
  return { ...chosen, ids: new Set([...chosen.ids].filter((one) => one !== id)) };
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
