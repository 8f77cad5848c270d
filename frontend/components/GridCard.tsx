import { JobActions } from "@/components/JobActions";
import { type JobCardProps, Selector } from "@/components/JobCard";
import { MediaTile } from "@/components/MediaTile";
import { StatusBadge } from "@/components/StatusBadge";
import { cardId } from "@/lib/focus";
import { formatViews, isShared, type Job, shortName, titleOf } from "@/lib/job";
import { originalUrl, type TileKind, tileKinds, tileMedia } from "@/lib/media";

/** A job in the grid: its best picture, name, status, views and actions. */
export default function GridCard({ job, selected, commands }: JobCardProps) {
  const titleId = `${cardId(job.id)}-title`;
  const kind = coverOf(job);
  return (
    <article
      id={cardId(job.id)}
      tabIndex={-1}
      aria-labelledby={titleId}
      className={`flex h-full flex-col gap-2 rounded-2xl border bg-surface p-2 ${selected ? "border-accent/70" : "border-line"}`}
    >
      <div className="relative">
        <MediaTile
          kind={kind}
          jobName={shortName(job.id)}
          media={tileMedia(job.media, kind)}
          onOpen={() => commands.preview(job, kind)}
          renew={() => commands.renewMedia(job.id, kind)}
          size="aspect-square w-full"
        />
        <div className="absolute top-3 right-3 rounded-lg bg-page/80">
          <Selector job={job} selected={selected} onSelect={(on, range) => commands.select(job, on, range)} />
        </div>
      </div>
      <h2 id={titleId} className="flex flex-col items-start gap-1.5 px-1">
        <bdi className="line-clamp-2 wrap-anywhere font-semibold text-sm" title={titleOf(job)}>
          {titleOf(job)}
        </bdi>
        <StatusBadge status={job.status} />
      </h2>
      {isShared(job) && <p className="px-1 text-muted text-xs">{formatViews(job)}</p>}
      <JobActions
        compact
        job={job}
        onDetails={() => commands.openDetails(job)}
        onDelete={() => commands.remove(job)}
        className="mt-auto gap-1!"
      />
    </article>
  );
}

/** Returns the first medium that the job has: the output, else the reference image, else the source. */
function coverOf(job: Job): TileKind {
  const kinds = tileKinds(job);
  const best = (["OUTPUT", "REF", "SRC"] as const).filter((kind) => kinds.includes(kind));
  return best.find((kind) => originalUrl(job.media, kind) !== null) ?? "REF";
}
