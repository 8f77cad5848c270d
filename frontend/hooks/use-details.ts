import useSWR from "swr";
import { getJobs } from "@/lib/api";
import type { Job } from "@/lib/job";

export interface Details {
  /** The job whose details are open; null if there is no such job, undefined while it is being asked for. */
  job: Job | null | undefined;
  error: unknown;
  retry: () => void;
}

/**
 * The job that the address names, which may be on another page than the one that is shown. `update` changes
 * what is known of it; null says that there is no such job any more.
 */
export function useDetails(
  userId: string,
  jobId: string | null,
  listed: Job[],
  listIsPending: boolean,
): Details & { isListed: boolean; update: (change: (job: Job) => Job | null) => void } {
  const found = listed.find((job) => job.id === jobId);
  // The list that is on its way may have it.
  const wanted = jobId !== null && !found && !listIsPending;
  const { data, error, mutate } = useSWR<Job | null>(
    wanted ? ["job", userId, jobId] : null,
    async () => (await getJobs([String(jobId)]))[0] ?? null,
    { revalidateOnFocus: false, shouldRetryOnError: false },
  );
  return {
    job: found ?? data,
    isListed: found !== undefined,
    error,
    retry: () => void mutate(),
    update: (change) => void mutate((job) => job && change(job), { revalidate: false }),
  };
}
