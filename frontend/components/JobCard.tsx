import { JobActions } from "@/components/JobActions";
import { MediaStrip } from "@/components/MediaStrip";
import { MediaTile } from "@/components/MediaTile";
import { StatusBadge } from "@/components/StatusBadge";
import { Age } from "@/components/ui/Age";
import { ForeignText } from "@/components/ui/ForeignText";
import { Skeleton } from "@/components/ui/Skeleton";
import type { RenewMedia } from "@/hooks/use-jobs";
import { cardId } from "@/lib/focus";
import {
  costOf,
  failureReason,
  formatViews,
  isShared,
  type Job,
  type JobFields,
  shortName,
  titleOf,
  typeLabel,
} from "@/lib/job";
import type { TileKind } from "@/lib/media";

export interface JobCommands {
  preview: (job: Job, kind: TileKind) => void;
  openDetails: (job: Job) => void;
  remove: (job: Job) => void;
  select: (job: Job, selected: boolean, range: boolean) => void;
  renewMedia: RenewMedia;
}

export interface JobCardProps {
  job: Job;
  selected: boolean;
  commands: JobCommands;
}

export const CARD = "rounded-2xl border bg-surface p-3 sm:p-4";

export function JobCard({ job, selected, commands }: JobCardProps) {
  const titleId = `${cardId(job.id)}-title`;
  return (
    <article
      id={cardId(job.id)}
      tabIndex={-1}
      aria-labelledby={titleId}
      className={`${CARD} flex flex-wrap gap-3 sm:gap-4 ${selected ? "border-accent/70" : "border-line"}`}
    >
      <MediaStrip
        job={job}
        onPreview={(kind) => commands.preview(job, kind)}
        renewMedia={commands.renewMedia}
      />
      {/* On wide screens this is a column beside the tiles; on others its parts wrap among them. */}
      <div className="contents lg:flex lg:min-w-0 lg:flex-1 lg:flex-col lg:gap-2">
        <div className="flex min-w-34 flex-1 basis-34 flex-col gap-1.5 sm:basis-48 lg:basis-auto">
          <div className="flex items-start justify-between gap-2">
            <h2 id={titleId} className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1.5">
              <bdi className="wrap-anywhere font-semibold text-base">{titleOf(job)}</bdi>
              <StatusBadge status={job.status} />
            </h2>
            <Selector
              job={job}
              selected={selected}
              onSelect={(on, range) => commands.select(job, on, range)}
            />
          </div>
          <p className="truncate font-mono text-muted text-xs" title={job.id}>
            {job.id}
          </p>
          <Facts job={job} />
        </div>
        {job.status === "failed" && (
          <ForeignText
            text={failureReason(job)}
            className="w-full rounded-lg border border-red-400/25 bg-red-400/10 px-3 py-2 text-red-200 text-sm"
          />
        )}
        <JobActions
          job={job}
          onDetails={() => commands.openDetails(job)}
          onDelete={() => commands.remove(job)}
          className="w-full border-line border-t pt-3 lg:border-0 lg:pt-0"
        />
      </div>
    </article>
  );
}

function Facts({ job }: { job: Job }) {
  const cost = costOf(job);
  return (
    <p className="flex flex-wrap gap-x-2 text-muted text-sm [&>:not(:last-child)]:after:ml-2 [&>:not(:last-child)]:after:content-['·']">
      {job.name && <span>{typeLabel(job)}</span>}
      <span>
        <Age time={job.created_at} />
      </span>
      {job.resolution && <span>{job.resolution}</span>}
      {cost && <span>{cost}</span>}
      {isShared(job) && <span>{formatViews(job)}</span>}
    </p>
  );
}

interface SelectorProps {
  job: JobFields;
  selected: boolean;
  /** `range` if the Shift key is held. */
  onSelect: (selected: boolean, range: boolean) => void;
}

export function Selector({ job, selected, onSelect }: SelectorProps) {
  return (
    <label className="-m-2 grid size-11 shrink-0 cursor-pointer place-items-center rounded-lg hover:bg-line/60">
      <span className="sr-only">Select job {shortName(job.id)}</span>
      <input
        type="checkbox"
        checked={selected}
        onChange={({ target, nativeEvent }) =>
          onSelect(target.checked, nativeEvent instanceof MouseEvent && nativeEvent.shiftKey)
        }
        className="size-4.5 cursor-pointer accent-accent"
      />
    </label>
  );
}

JobCard.Skeleton = function JobCardSkeleton() {
  return (
    <div className={`${CARD} flex flex-wrap gap-3 border-line sm:gap-4`}>
      <MediaTile.Skeleton />
      <MediaTile.Skeleton />
      <div className="hidden lg:block">
        <MediaTile.Skeleton />
      </div>
      <div className="contents lg:flex lg:min-w-0 lg:flex-1 lg:flex-col lg:justify-between">
        <div className="flex min-w-34 flex-1 basis-34 flex-col gap-2.5 sm:basis-48 lg:basis-auto">
          <Skeleton className="h-6 w-44 max-w-full" />
          <Skeleton className="h-4 w-72 max-w-full" />
          <Skeleton className="h-4 w-40 max-w-full" />
        </div>
        <div className="flex w-full gap-2 border-line border-t pt-3 lg:border-0 lg:pt-0">
          <Skeleton className="h-11 w-28 sm:h-10" />
          <Skeleton className="h-11 w-28 sm:h-10" />
        </div>
      </div>
    </div>
  );
};
