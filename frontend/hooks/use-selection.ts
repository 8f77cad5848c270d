import { useEffect, useRef, useState } from "react";
import type { JobFields } from "@/lib/job";
import { type Chosen, choose, type JobId, lostFrom, withoutChosen } from "@/lib/selection";
import { placeOf, type View } from "@/lib/view";

export interface Selection<T extends JobFields = JobFields> {
  /** The selected jobs: those shown, then those on other pages. */
  jobs: T[];
  /** How many jobs are shown. */
  outOf: number;
  has: (job: JobFields) => boolean;
  /** With `range`, the jobs between this one and the last one that was chosen are chosen alike. */
  select: (job: JobFields, on: boolean, range?: boolean) => void;
  selectAll: () => void;
  /** Another object after each change. */
  state: object;
  /** Selects those of these jobs that are not `gone` by now, on whatever page they are, and returns how many. */
  selectThese: (jobs: T[]) => number;
  clear: () => void;
  /** Takes out jobs that were deleted or are `lost`, whatever has been selected since this function was returned. */
  drop: (jobs: JobId[]) => void;
  /** Jobs that are selected and not among `jobs`, because the page no longer shows them. They have to be told and dropped. */
  lost: JobId[];
}

/**
 * Keeps track of which jobs are selected. Changing the page, filter or search clears the selection. A job that the
 * page no longer shows is not selected any more. Of the jobs of `selectThese`, those that are not shown stay selected until
 * they are `gone`. Those that are `leaving` are being deleted here, and may come back.
 */
export function useSelection<T extends JobFields>(
  view: View,
  shown: T[],
  gone: (job: JobId) => boolean = () => false,
  leaving: (job: JobId) => boolean = () => false,
): Selection<T> {
  const place = placeOf(view);
  const none: Chosen<T> = { ids: new Set(), elsewhere: [], last: null };
  const [selected, setSelected] = useState({ place, chosen: none });
  if (selected.place !== place) setSelected({ place, chosen: none });
  const chosen = selected.place === place ? selected.chosen : none;
  const { ids } = chosen;
  const isGoneNow = useRef(gone);
  useEffect(() => {
    isGoneNow.current = gone;
  });
  const keep = (these: Partial<Chosen<T>>) => setSelected({ place, chosen: { ...none, ...these } });
  const isShown = new Set(shown.map((job) => job.id));
  const elsewhere = chosen.elsewhere.filter((job) => !isShown.has(job.id) && !gone(job));
  const lost = lostFrom({ ...chosen, elsewhere }, shown, leaving);
  return {
    jobs: [...shown, ...elsewhere].filter((job) => ids.has(job.id)),
    outOf: shown.length,
    has: (job) => ids.has(job.id),
    select: (job, on, range = false) => keep(choose(chosen, shown, job, on, range)),
    state: selected,
    selectAll: () => keep({ ids: new Set(shown.map((job) => job.id)) }),
    selectThese: (jobs) => {
      const elsewhere = jobs.filter((job) => !isGoneNow.current(job));
      keep({ ids: new Set(elsewhere.map((job) => job.id)), elsewhere });
      return elsewhere.length;
    },
    clear: () => keep({}),
    drop: (jobs) =>
      setSelected((before) => {
        const rest = withoutChosen(before.chosen, jobs);
        return rest === before.chosen ? before : { ...before, chosen: rest };
      }),
    lost,
  };
}
