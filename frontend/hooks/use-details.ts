import { useEffect, useReducer, useRef } from "react";
import useSWR from "swr";
import { getJobs } from "@/lib/api";
import { SessionEnded } from "@/lib/errors";
import type { Job } from "@/lib/job";

export interface Details {
  /** The job whose details are open; null if it does not exist, undefined while it is loading. */
  job: Job | null | undefined;
  error: unknown;
  retry: () => void;
}

/**
 * Returns the job named in the address, which need not be on the page of the list that is shown. One that the list no
 * longer has stays as it was until it is loaded: the user may be typing its name. `learn` takes what is loaded. `update`
 * changes the loaded job, or sets it to null if it no longer exists. Without one, it changes the job as it was, which is
 * then loaded again: an answer under way may be older. `loaded` is what was loaded of a job that the list does not have.
 */
export function useDetails(
  userId: string,
  jobId: string | null,
  listed: Job[],
  listIsPending: boolean,
  learn: (jobs: Job[]) => Job[],
): Details & { loaded: Job | null | undefined; update: (change: (job: Job) => Job | null) => void } {
  const found = listed.find((job) => job.id === jobId);
  // A list that is still loading may contain the job.
  const wanted = jobId !== null && !found && !listIsPending;
  const { data, error, isValidating, mutate } = useSWR<Job | null>(
    wanted ? ["job", userId, jobId] : null,
    async () => learn(await getJobs([String(jobId)]))[0] ?? null,
    { revalidateOnFocus: false, shouldRetryOnError: false },
  );
  // SWR takes any change for an answer: without a loaded job it would end the loading, or take its failure back.
  const isLoaded = useRef(false);
  const listedLast = useRef<Job>(undefined);
  const [, redraw] = useReducer((times: number) => times + 1, 0);
  useEffect(() => {
    isLoaded.current = data !== undefined;
    if (found) listedLast.current = found;
  });
  const last = listedLast.current?.id === jobId ? listedLast.current : undefined;
  return {
    job: found ?? (data === undefined ? last : data),
    loaded: data,
    error: isValidating || error instanceof SessionEnded ? undefined : error,
    retry: () => void mutate(),
    update: (change) => {
      if (isLoaded.current) return void mutate((job) => job && change(job), { revalidate: false });
      // The page also tells of the jobs that it polls. They may be other ones, and so may the one that it had last.
      const last = listedLast.current?.id === jobId ? listedLast.current : undefined;
      const changed = last && change(last);
      if (!changed || changed === last) return;
      listedLast.current = changed;
      redraw();
      void mutate();
    },
  };
}
