import { useState } from "react";
import type { List, Outcome, Outcomes } from "@/lib/deletion";
import { messageOf, SessionEnded } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { late } from "@/lib/late";
import { loadLater } from "@/lib/later";
import { notify } from "@/lib/notify";

/**
 * Deletes jobs, a few at a time. They leave the list immediately and return to it if their deletion fails.
 * `outcomes` holds the result for each job, by its id. `undo` is offered for ten seconds if the jobs can come back.
 */
export function useDeletion(list: List, undo: (jobs: JobFields[]) => void) {
  const [outcomes, setOutcomes] = useState<Outcomes>({});
  const settle = (jobs: JobFields[], outcome: Outcome) =>
    setOutcomes((before) => ({ ...before, ...Object.fromEntries(jobs.map((job) => [job.id, outcome])) }));

  /** Returns whether all jobs were deleted. */
  const remove = async (jobs: JobFields[]): Promise<boolean> => {
    settle(jobs, { state: "waiting" });
    list.hide(jobs);
    try {
      const { deleteAll } = await late(loadLater);
      return await deleteAll(jobs, { list, settle, undo });
    } catch (error) {
      // If the session has ended, the browser is leaving the page. Otherwise nothing was loaded, and nothing asked.
      if (error instanceof SessionEnded) return false;
      const reason = messageOf(error);
      for (const job of jobs) list.show(job);
      settle(jobs, { state: "failed", reason });
      notify("error", "Nothing was deleted", reason);
      return false;
    }
  };

  return { outcomes, remove };
}
