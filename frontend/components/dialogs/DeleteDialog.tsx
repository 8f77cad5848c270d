import * as AlertDialog from "@radix-ui/react-alert-dialog";
import { CircleCheck, CircleX, LoaderCircle } from "lucide-react";
import { memo, useState } from "react";
import { statusLabel } from "@/components/StatusBadge";
import { Button } from "@/components/ui/Button";
import { ANSWERS, OVERLAY, PANEL } from "@/components/ui/Modal";
import { useCloseRequest } from "@/hooks/use-close-request";
import { useFocusReturn } from "@/hooks/use-focus-return";
import type { Outcome, Outcomes } from "@/lib/deletion";
import { focusAfterDeletion } from "@/lib/focus-after-deletion";
import { isActive, type Job, type JobFields, shortName, typeLabel } from "@/lib/job";
import { KEPT_FOR } from "@/lib/keeping";
import { settings } from "@/lib/settings";

interface Props {
  jobs: JobFields[];
  /** The result for each job, by its id. */
  outcomes: Outcomes;
  /** Gets those to delete, of `jobs`. */
  onConfirm: (jobs: JobFields[]) => Promise<void>;
  onClose: () => void;
  /** The jobs that are shown. */
  listed: Job[];
  /** Whether the focus moves to the next of those after a deletion. */
  movesFocus: boolean;
}

/**
 * Asks for confirmation. For several jobs it stays open until each has its result, and shows them as they were when their
 * deletion was confirmed.
 */
export function DeleteDialog({
  jobs: asked,
  outcomes,
  onConfirm,
  onClose,
  listed: shown,
  movesFocus,
}: Props) {
  const [confirmed, setConfirmed] = useState<Pick<Props, "jobs" | "listed">>();
  const started = confirmed !== undefined;
  const { jobs, listed } = confirmed ?? { jobs: asked, listed: shown };
  const returnFocus = useFocusReturn();
  useCloseRequest(onClose);
  const [first] = jobs;
  const single = jobs.length === 1 && first ? first : null;
  const failed = asked.filter((job) => outcomes[job.id]?.state === "failed");
  const settled = started && jobs.every((job) => outcomes[job.id] && outcomes[job.id]?.state !== "waiting");

  const confirm = async (chosen: JobFields[]) => {
    setConfirmed({ jobs, listed });
    if (movesFocus) focusAfterDeletion.plan(shown, chosen);
    await onConfirm(chosen);
  };
  return (
    <AlertDialog.Root open onOpenChange={(open) => open || onClose()}>
      <AlertDialog.Portal>
        {/* Above the preview. */}
        <AlertDialog.Overlay className={`${OVERLAY} z-50!`} />
        <AlertDialog.Content
          className={`${PANEL} max-w-lg`}
          onCloseAutoFocus={(event) =>
            focusAfterDeletion.apply() ? event.preventDefault() : returnFocus(event)
          }
        >
          <AlertDialog.Title className="font-semibold text-lg">
            {single ? `Delete job ${shortName(single.id)}?` : `Delete ${jobs.length} jobs?`}
          </AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="mt-3 flex flex-col gap-3 text-slate-300 text-sm leading-relaxed">
              {single ? <p>{describe(single)}</p> : null}
              <Consequences jobs={jobs} listed={listed} />
              {!single && <p>Keep this page open until all of them are deleted.</p>}
            </div>
          </AlertDialog.Description>
          {!single && <JobResults jobs={jobs} outcomes={started ? outcomes : {}} />}
          <div className={ANSWERS}>
            {started ? (
              <>
                <AlertDialog.Cancel asChild>
                  <Button>Close</Button>
                </AlertDialog.Cancel>
                {settled && failed.length > 0 && (
                  <Button look="destructive" onClick={() => confirm(failed)}>
                    Try the {failed.length === 1 ? "failed job" : `${failed.length} failed jobs`} again
                  </Button>
                )}
              </>
            ) : (
              <>
                <AlertDialog.Cancel asChild>
                  <Button>{jobs.length === 1 ? "Keep it" : "Keep them"}</Button>
                </AlertDialog.Cancel>
                <Button look="destructive" onClick={() => confirm(jobs)}>
                  {single ? "Delete job" : `Delete ${jobs.length} jobs`}
                </Button>
              </>
            )}
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

function describe(job: JobFields): string {
  return `${typeLabel(job)}, ${statusLabel(job.status).toLowerCase()}${job.resolution ? `, ${job.resolution}` : ""}.`;
}

function Consequences({ jobs, listed }: { jobs: JobFields[]; listed: Job[] }) {
  const days = settings.softDeleteDays;
  const one = jobs.length === 1;
  const shown = new Set(listed.map((job) => job.id));
  // One that is not on the page, or not any longer, may have been completed since it was chosen.
  const outputs = jobs.some((job) => job.status === "completed" || (isActive(job) && !shown.has(job.id)));
  return (
    <>
      <ul className="list-disc space-y-1.5 pl-5">
        <li>
          {one ? "Its reference image" : "Their reference images"}
          {outputs ? ", source and output videos" : ` and source ${one ? "video" : "videos"}`} will be
          deleted.{" "}
          {days > 0 ? `You can restore ${one ? "it" : "them"} for ${KEPT_FOR}.` : "You cannot undo this."}
        </li>
        {jobs.some((job) => job.share_url) && <li>Links that you have shared will stop working.</li>}
        {jobs.some(isActive) && <li>Work in progress will be lost.</li>}
        <li>Videos made from {one ? "this job" : "these jobs"} will not change.</li>
      </ul>
      <p>
        The files will leave our storage within minutes.{" "}
        {days > 0
          ? `Google Cloud Storage keeps a copy, which nobody can watch, for ${days} more ${days === 1 ? "day" : "days"}, and then removes it for good.`
          : "No copy is kept."}
      </p>
    </>
  );
}

/** How many of many jobs are listed, apart from those that failed. */
const MOST_LISTED = 100;

/** Lists the jobs. Of many, it counts those that are done, and those that are still to come. */
function JobResults({ jobs, outcomes }: { jobs: JobFields[]; outcomes: Outcomes }) {
  const many = jobs.length > MOST_LISTED;
  const those = (...states: (string | undefined)[]) =>
    jobs.filter((job) => states.includes(outcomes[job.id]?.state));
  const [failed, left] = [those("failed"), those(undefined, "waiting")];
  const listed = many ? [...failed, ...left.slice(0, MOST_LISTED)] : jobs;
  const done = jobs.length - failed.length - left.length;
  return (
    <>
      {many && (
        <p className="mt-4 text-muted text-sm tabular-nums">
          {done} deleted, {failed.length} failed, {left.length} left
        </p>
      )}
      <ul
        aria-label="The jobs and their results"
        aria-live={many ? "off" : "polite"}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keyboard
        tabIndex={0}
        className="mt-4 max-h-56 divide-y divide-line overflow-y-auto rounded-lg border border-line text-sm"
      >
        {listed.map((job) => (
          <JobRow key={job.id} job={job} outcome={outcomes[job.id]} />
        ))}
        {left.length > MOST_LISTED && (
          <li className="px-3 py-2 text-muted">and {left.length - MOST_LISTED} more</li>
        )}
      </ul>
    </>
  );
}

interface Row {
  job: JobFields;
  outcome: Outcome | undefined;
}

/** Drawn only when it changes: there may be thousands. */
const JobRow = memo(function JobRow({ job, outcome }: Row) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2">
      <span className="font-mono text-xs">{shortName(job.id)}</span>
      <span className="text-muted">{describe(job)}</span>
      <JobResult outcome={outcome} />
    </li>
  );
});

function JobResult({ outcome }: Pick<Row, "outcome">) {
  switch (outcome?.state) {
    case "waiting":
      return <LoaderCircle className="ml-auto size-4 animate-spin text-muted" aria-label="Being deleted" />;
    case "done":
      return (
        <span className="ml-auto inline-flex items-center gap-1.5 text-green-300">
          <CircleCheck aria-hidden className="size-4" />
          Deleted
        </span>
      );
    case "failed":
      return (
        <span className="inline-flex w-full items-start gap-1.5 text-red-300">
          <CircleX aria-hidden className="mt-0.5 size-4 shrink-0" />
          {outcome.reason}
        </span>
      );
    default:
      return null;
  }
}
