import { useState } from "react";
import { deleteJob } from "@/lib/api";
import { fewAtOnce } from "@/lib/bulk";
import { messageOf, SessionEnded } from "@/lib/errors";
import { type Job, shortName } from "@/lib/job";
import { notify } from "@/lib/notify";
import { settings } from "@/lib/settings";

export type Outcome = { state: "waiting" } | { state: "done" } | { state: "failed"; reason: string };
export type Outcomes = Record<string, Outcome>;

interface List {
  hide: (jobs: Job[]) => void;
  show: (job: Job) => void;
  drop: (job: Job) => void;
  refresh: () => Promise<void>;
}

/**
 * Deletes jobs, a few at a time. They leave the list immediately and return to it if their deletion fails.
 * `outcomes` holds the result for each job, by its id. `undo` is offered for ten seconds if the jobs can come back.
 */
export function useDeletion(list: List, undo: (jobs: Job[]) => void) {
  const [outcomes, setOutcomes] = useState<Outcomes>({});

  /** Returns whether all jobs were deleted. */
  const remove = async (jobs: Job[]): Promise<boolean> => {
    const failures: Failure[] = [];
    const restorable: Job[] = [];
    const settle = (job: Job, outcome: Outcome) =>
      setOutcomes((before) => ({ ...before, [job.id]: outcome }));
    for (const job of jobs) settle(job, { state: "waiting" });
    list.hide(jobs);

    const removeOne = async (job: Job) => {
      try {
        if ((await deleteJob(job.id)) && settings.softDeleteDays > 0) restorable.push(job);
        list.drop(job);
        settle(job, { state: "done" });
      } catch (error) {
        if (error instanceof SessionEnded) throw error;
        const reason = messageOf(error);
        list.show(job);
        settle(job, { state: "failed", reason });
        failures.push({ job, reason });
      }
    };
    try {
      await fewAtOnce(jobs, removeOne);
    } catch {
      return false; // The session has ended, and the browser is leaving the page.
    }
    tell(jobs, failures, restorable.length > 0 ? () => undo(restorable) : null);
    // Loads the jobs that move up into the free places.
    if (failures.length < jobs.length) void list.refresh();
    return failures.length === 0;
  };

  return { outcomes, remove };
}

interface Failure {
  job: Job;
  reason: string;
}

function tell(jobs: Job[], failures: Failure[], undo: (() => void) | null): void {
  const names = (some: Job[]) => some.map((job) => shortName(job.id)).join(", ");
  const succeeded = (title: string, description?: string) =>
    notify("success", title, description, title, undo ? { label: "Undo", onClick: undo } : undefined);
  const failed = failures.map(({ job }) => job);
  if (jobs.length > 1) {
    if (failed.length === 0) succeeded(`${jobs.length} jobs deleted`, names(jobs));
    else notify("error", `${failed.length} of ${jobs.length} jobs could not be deleted`, names(failed));
  } else if (failures[0]) {
    notify("error", `Job ${names(failed)} could not be deleted`, failures[0].reason);
  } else {
    succeeded(`Job ${names(jobs)} deleted`);
  }
}
