import { useRef, useState } from "react";
import type { Jobs } from "@/hooks/use-jobs";
import { usePolling } from "@/hooks/use-polling";
import type { Trash } from "@/hooks/use-trash";
import { restoreJob } from "@/lib/api";
import { fewAtOnce } from "@/lib/bulk";
import { messageOf, SessionEnded } from "@/lib/errors";
import { type Job, type JobFields, shortName } from "@/lib/job";
import { recount, withoutJobs, withReturning } from "@/lib/list";
import { notify } from "@/lib/notify";
import { brisk } from "@/lib/polling";
import { settledRestores } from "@/lib/restore";
import type { View } from "@/lib/view";

interface Returning {
  job: JobFields;
  /** Whether the functions have accepted the restore. */
  accepted: boolean;
}

interface Restore {
  /** The jobs and the trash, with what is coming back already in its place. */
  jobs: Jobs;
  trash: Trash;
  restore: (jobs: JobFields[]) => Promise<void>;
}

/**
 * Takes deletions back, a few at a time. The jobs leave the trash immediately. Those whose media are known, because they
 * were deleted on this page, are also back in the list immediately; others when all of their files are back.
 */
export function useRestore(known: Jobs, found: Trash, view: View): Restore {
  const [returning, setReturning] = useState<Returning[]>([]);
  const asked = useRef(0);
  const all = returning.map(({ job }) => job);
  const forget = (jobs: JobFields[]) => {
    const ids = jobs.map((job) => job.id);
    setReturning((before) => before.filter(({ job }) => !ids.includes(job.id)));
  };

  const welcome = async (back: JobFields[]) => {
    await Promise.all([known.refresh(), found.refresh()]);
    // While the trash is shown, the list and its counts are not loaded again.
    known.restored(back, !view.deleted);
    forget(back);
    tell("success", back, "restored");
  };
  const accepted = returning.flatMap((one) => (one.accepted ? [one.job] : []));
  const failure = usePolling(accepted.length > 0, asked, brisk, async (signal) => {
    const { back, stay } = await settledRestores(
      accepted.map((job) => job.id),
      signal,
    );
    const lost = accepted.filter((job) => stay.includes(job.id));
    if (lost.length > 0) {
      forget(lost);
      tell("error", lost, "could not be restored", "The deletion stands.");
      void found.refresh();
    }
    if (back.length > 0) await welcome(accepted.filter((job) => back.includes(job.id)));
  });

  const restore = async (jobs: JobFields[]) => {
    const failures: { job: JobFields; reason: string }[] = [];
    const restoreOne = async (job: JobFields) => {
      try {
        await restoreJob(job.id);
        asked.current = Date.now();
        setReturning((before) =>
          before.map((one) => (one.job.id === job.id ? { job, accepted: true } : one)),
        );
      } catch (error) {
        if (error instanceof SessionEnded) throw error;
        forget([job]);
        failures.push({ job, reason: messageOf(error) });
      }
    };
    setReturning((before) => [...before, ...jobs.map((job) => ({ job, accepted: false }))]);
    try {
      await fewAtOnce(jobs, restoreOne);
    } catch {
      return; // The session has ended, and the browser is leaving the page.
    }
    const begun = jobs.filter((job) => failures.every((failure) => failure.job !== job));
    if (begun.length > 0)
      tell("success", begun, begun.length === 1 ? "is being restored" : "are being restored");
    for (const reason of new Set(failures.map((one) => one.reason))) {
      const failed = failures.filter((one) => one.reason === reason).map(({ job }) => job);
      tell("error", failed, "could not be restored", reason);
    }
    // What cannot come back may have left the trash.
    if (failures.length > 0) void found.refresh();
  };

  const isReturning = (job: JobFields) => all.some((one) => one.id === job.id);
  const withMedia = all.filter((job): job is Job => "media" in job);
  return {
    restore,
    jobs: {
      ...known,
      list: known.list && withReturning(known.list, withMedia, view),
      counts: known.counts && recount(known.counts, [], all),
      error: known.error ?? failure,
      hide: (jobs) => {
        // A job can be deleted again before it is back.
        known.restored(jobs.filter(isReturning), false);
        forget(jobs);
        known.hide(jobs);
      },
    },
    trash: { ...found, list: found.list && withoutJobs(found.list, found.list.jobs.filter(isReturning)) },
  };
}

function tell(kind: "success" | "error", jobs: JobFields[], what: string, reason?: string): void {
  const names = jobs.map((job) => shortName(job.id)).join(", ");
  const topic = `restore of ${names}`;
  if (jobs.length === 1) notify(kind, `Job ${names} ${what}`, reason, topic);
  else notify(kind, `${jobs.length} jobs ${what}`, reason ? `${names}. ${reason}` : names, topic);
}
