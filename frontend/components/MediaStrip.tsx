import { CircleX, LoaderCircle } from "lucide-react";
import { MediaTile } from "@/components/MediaTile";
import type { RenewMedia } from "@/hooks/use-jobs";
import { isActive, type Job, shortName } from "@/lib/job";
import { type TileKind, tileKinds, tileMedia } from "@/lib/media";

interface Props {
  job: Job;
  onPreview: (kind: TileKind) => void;
  renewMedia: RenewMedia;
}

/** The job's tiles: its inputs, and its output once it is completed. */
export function MediaStrip({ job, onPreview, renewMedia }: Props) {
  const kinds = tileKinds(job);
  return (
    <>
      {kinds.map((kind) => (
        <MediaTile
          key={kind}
          kind={kind}
          jobName={shortName(job.id)}
          media={tileMedia(job.media, kind)}
          onOpen={() => onPreview(kind)}
          renew={() => renewMedia(job.id, kind)}
        />
      ))}
      {kinds.length < 3 && <NoOutput job={job} />}
    </>
  );
}

/** Fills the output's place on wide screens. */
function NoOutput({ job }: { job: Job }) {
  return (
    <div
      aria-hidden
      className="hidden size-36 shrink-0 place-items-center rounded-xl border border-line border-dashed text-slate-500 lg:grid"
    >
      {isActive(job) && <LoaderCircle className="size-6 animate-spin [animation-duration:3s]" />}
      {job.status === "failed" && <CircleX className="size-6" />}
    </div>
  );
}
