import { useState } from "react";
import type { Job } from "@/lib/job";
import type { View } from "@/lib/view";

export interface Selection {
  /** The selected jobs among those shown. */
  jobs: Job[];
  /** How many jobs are shown. */
  outOf: number;
  has: (job: Job) => boolean;
  select: (job: Job, on: boolean) => void;
  selectAll: () => void;
  clear: () => void;
}

/** Keeps track of which jobs are selected. Changing the page, filter or search clears the selection. */
export function useSelection(view: View, shown: Job[]): Selection {
  const place = JSON.stringify([view.status, view.search, view.page]);
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
