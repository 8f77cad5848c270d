import { useRef, useState } from "react";
import { useOnline, useVisible } from "@/hooks/use-environment";
import type { Jobs } from "@/hooks/use-jobs";
import { usePolling } from "@/hooks/use-polling";
import type { Trash } from "@/hooks/use-trash";
import { messageOf, SessionEnded } from "@/lib/errors";
import type { Job, JobFields } from "@/lib/job";
import { late } from "@/lib/late";
import { loadLater } from "@/lib/later";
import { recount, withoutJobs } from "@/lib/list";
import { notify } from "@/lib/notify";
import { brisk, unasked } from "@/lib/polling";
import type { Returning } from "@/lib/returning";
import type { View } from "@/lib/view";

type Part = Awaited<ReturnType<typeof loadLater>>;

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
  /** As it is now, for requests that wait for their turn. */
  const latest = useRef(returning);
  const change = (changed: (before: Returning[]) => Returning[]) => {
    latest.current = changed(latest.current);
    setReturning(latest.current);
  };
  /** Null until the first restore. */
  const [part, setPart] = useState<Part | null>(null);
  const [visible, online] = [useVisible(), useOnline()];
  const asked = useRef(unasked());
  const all = returning.map(({ job }) => job);
  const isAmong = (some: Returning[], { id }: JobFields) => some.some(({ job }) => job.id === id);
  const forget = (jobs: JobFields[]) => {
    const ids = jobs.map((job) => job.id);
    change((before) => before.filter(({ job }) => !ids.includes(job.id)));
  };

  const welcome = async (back: JobFields[]) => {
    await Promise.all([known.refresh(), found.refresh()]);
    // While the trash is shown, the list and its counts are not loaded again.
    known.restored(back, !view.deleted);
    forget(back);
  };
  const accepted = returning.flatMap((one) => (one.accepted ? [one.job] : []));
  const failure = usePolling(accepted.length > 0 && visible && online, asked, brisk, async (signal) => {
    if (!part) return;
    const { back, stay } = await part.settledRestores(accepted, signal);
    if (stay.length > 0) {
      forget(stay);
      void found.refresh();
    }
    if (back.length > 0) await welcome(back);
    part.tellEnd(back, stay);
  });

  const restore = async (jobs: JobFields[]) => {
    const request = Symbol();
    const isOf = (one: Returning, { id }: JobFields) => one.request === request && one.job.id === id;
    const accept = (job: JobFields) => {
      asked.current.at = Date.now();
      change((before) => before.map((one) => (isOf(one, job) ? { ...one, accepted: true } : one)));
    };
    const refuse = (job: JobFields) => change((before) => before.filter((one) => !isOf(one, job)));
    // Undo may ask for what the trash has asked for.
    const fresh = jobs.filter((job) => !isAmong(latest.current, job));
    if (fresh.length === 0) return;
    change((before) => [...before, ...fresh.map((job) => ({ job, request, accepted: false }))]);
    try {
      const loaded = await late(loadLater);
      setPart(loaded);
      const isWanted = (job: JobFields) => latest.current.some((one) => isOf(one, job));
      await loaded.requestRestores(fresh, isWanted, accept, refuse);
      // Others move up, and what cannot come back may have left the trash.
      void found.refresh();
    } catch (error) {
      if (error instanceof SessionEnded) return; // The browser is leaving the page.
      fresh.forEach(refuse);
      notify("error", "Nothing was restored", messageOf(error));
    }
  };

  const isReturning = (job: JobFields) => isAmong(returning, job);
  const isElsewhere = (job: JobFields) => isReturning(job) || known.isLeaving(job);
  const withMedia = all.filter((job): job is Job => "media" in job);
  return {
    restore,
    jobs: {
      ...known,
      list: known.list && part ? part.withReturning(known.list, withMedia, view) : known.list,
      counts: known.counts && recount(known.counts, [], all),
      error: known.error ?? failure,
      hide: (jobs) => {
        // A job can be deleted again before it is back.
        known.restored(jobs.filter(isReturning), false);
        forget(jobs);
        known.hide(jobs);
      },
    },
    // Also without those that are to be deleted once the answer to their Undo is there: they must not be asked back twice.
    trash: { ...found, list: found.list && withoutJobs(found.list, found.list.jobs.filter(isElsewhere)) },
  };
}
