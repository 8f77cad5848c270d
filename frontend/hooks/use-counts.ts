import useSWR from "swr";
import { listJobs } from "@/lib/api";
import type { Counts } from "@/lib/job";

/** Loads the counts of all jobs if they are wanted, for a page that was opened without a list of them. */
export function useCounts(userId: string, wanted: boolean, onCounts: (counts: Counts) => void): void {
  useSWR(
    wanted ? ["counts", userId] : null,
    async () => {
      const query = { status: null, search: "", page: 1, size: 1, counts: true };
      const { counts } = await listJobs(query);
      if (counts) onCounts(counts);
    },
    { revalidateOnFocus: false, shouldRetryOnError: false },
  );
}
