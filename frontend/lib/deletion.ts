/** Deletes jobs. Loaded with the question whether to do so. */

import { fewAtOnce, patiently } from "@/lib/bulk";
import { messageOf, SessionEnded } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { deleteJob } from "@/lib/job-calls";
import { namesOf } from "@/lib/naming";
import { notify } from "@/lib/notify";
import { restoreAnswered } from "@/lib/restore";
import { settings } from "@/lib/settings";

export type Outcome = { state: "waiting" } | { state: "done" } | { state: "failed"; reason: string };
export type Outcomes = Record<string, Outcome>;

export interface List {
  hide: (jobs: JobFields[]) => void;
  show: (job: JobFields) => void;
  drop: (job: JobFields) => void;
  refresh: () => Promise<unknown>;
}

interface Deletion {
  list: List;
  settle: (jobs: JobFields[], outcome: Outcome) => void;
  undo: (jobs: JobFields[]) => void;
}

/**
 * Deletes hidden jobs, a few at a time. Those that fail are shown again. Returns whether all were deleted. Throws
 * SessionEnded.
 */
export async function deleteAll(jobs: JobFields[], { list, settle, undo }: Deletion): Promise<boolean> {
  const failures: Failure[] = [];
  const restorable: JobFields[] = [];
  await fewAtOnce(jobs, async (job) => {
    try {
      await restoreAnswered(job.id);
      if ((await patiently(() => deleteJob(job.id))) && settings.softDeleteDays > 0) restorable.push(job);
      list.drop(job);
      settle([job], { state: "done" });
    } catch (error) {
      if (error instanceof SessionEnded) throw error;
      const reason = messageOf(error);
      list.show(job);
      settle([job], { state: "failed", reason });
      failures.push({ job, reason });
    }
  });
  tell(jobs, failures, restorable.length > 0 ? () => undo(restorable) : null);
  // Loads the jobs that move up into the free places.
  if (failures.length < jobs.length) void list.refresh();
  return failures.length === 0;
}

interface Failure {
  job: JobFields;
  reason: string;
}

function tell(jobs: JobFields[], failures: Failure[], undo: (() => void) | null): void {
  const failed = failures.map(({ job }) => job);
  // Another deletion of as many jobs must not replace this one's Undo.
  const topic = `deletion of ${jobs.map((job) => job.id).join(", ")}`;
  const offer = (label: string) => (undo ? { label, onClick: undo } : undefined);
  const succeeded = (title: string, description?: string) =>
    notify("success", title, description, topic, offer("Undo"));
  if (jobs.length > 1) {
    const title = `${failed.length} of ${jobs.length} jobs could not be deleted`;
    if (failed.length === 0) succeeded(`${jobs.length} jobs deleted`, namesOf(jobs));
    else notify("error", title, namesOf(failed), topic, offer("Undo the others"));
  } else if (failures[0]) {
    notify("error", `Job ${namesOf(failed)} could not be deleted`, failures[0].reason);
  } else {
    succeeded(`Job ${namesOf(jobs)} deleted`);
  }
}
