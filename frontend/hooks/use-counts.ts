import useSWR from "swr";
import { listJobs } from "@/lib/api";
import type { Counts } from "@/lib/job";
import { ALL } from "@/lib/view";

/** Loads the counts of all jobs if they are wanted, for a page that was opened without a list of them. */
export function useCounts(userId: string, wanted: boolean, onCounts: (counts: Counts) => void): void {
  useSWR(
    wanted ? ["counts", userId] : null,
    async () => {
      const { counts } = await listJobs({ view: ALL, size: 1, counts: true });
      if (counts) onCounts(counts);
    },
    { revalidateOnFocus: false, shouldRetryOnError: false },
  );
}
