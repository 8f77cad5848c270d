import { useState } from "react";
import type { JobFields } from "@/lib/job";
import { placeOf, type View } from "@/lib/view";

export interface Selection<T extends JobFields = JobFields> {
  /** The selected jobs among those shown. */
  jobs: T[];
  /** How many jobs are shown. */
  outOf: number;
  has: (job: JobFields) => boolean;
  select: (job: JobFields, on: boolean) => void;
  selectAll: () => void;
  clear: () => void;
}

/** Keeps track of which jobs are selected. Changing the page, filter or search clears the selection. */
export function useSelection<T extends JobFields>(view: View, shown: T[]): Selection<T> {
  const place = placeOf(view);
  const [selected, setSelected] = useState({ place, ids: new Set<string>() });
  const ids = selected.place === place ? selected.ids : new Set<string>();
  const keep = (chosen: Iterable<string>) => setSelected({ place, ids: new Set(chosen) });
  return {
    jobs: shown.filter((job) => ids.has(job.id)),
    outOf: shown.length,
    has: (job) => ids.has(job.id),
    select: (job, on) => keep([...[...ids].filter((id) => id !== job.id), ...(on ? [job.id] : [])]),
    selectAll: () => keep(shown.map((job) => job.id)),
    clear: () => keep([]),
  };
}
