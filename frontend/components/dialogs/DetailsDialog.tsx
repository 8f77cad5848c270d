import { CopyButton } from "@/components/dialogs/CopyButton";
import { NameField } from "@/components/dialogs/NameField";
import { ReceiptOf } from "@/components/dialogs/ReceiptDialog";
import { Recipe } from "@/components/dialogs/Recipe";
import { Row } from "@/components/dialogs/Row";
import { ShareLink } from "@/components/dialogs/ShareLink";
import { Elapsed } from "@/components/Elapsed";
import { FailureHelp } from "@/components/FailureHelp";
import { JobActions } from "@/components/JobActions";
import { MediaTile } from "@/components/MediaTile";
import { StatusBadge } from "@/components/StatusBadge";
import { Button } from "@/components/ui/Button";
import { ForeignText } from "@/components/ui/ForeignText";
import { Modal } from "@/components/ui/Modal";
import { Pulsing, Skeleton } from "@/components/ui/Skeleton";
import type { Jobs } from "@/hooks/use-jobs";
import { messageOf } from "@/lib/errors";
import { cardId } from "@/lib/focus";
import {
  costOf,
  failureReason,
  formatViews,
  isActive,
  type Job,
  shortName,
  titleOf,
  typeLabel,
} from "@/lib/job";
import { TILE_NAMES, type TileKind, tileKinds, tileMedia } from "@/lib/media";
import { formatExact } from "@/lib/time";

interface Props {
  jobId: string;
  jobs: Jobs;
  onPreview: (job: Job, kind: TileKind) => void;
  /** Opens the details of another job. */
  onOpen: (jobId: string) => void;
  onClose: () => void;
}

/**
 * Everything about one job, or the receipt if it is deleted. The details have their own address, so the job can be on any
 * page of the list.
 */
export default function DetailsDialog({ jobId, jobs, onPreview, onOpen, onClose }: Props) {
  const { job: found, error, retry } = jobs.details;
  const job = found && { ...found, media: jobs.thumbnails[found.id] ?? found.media };
  return (
    <Modal
      key={jobId}
      title={
        job ? (
          <>
            <bdi>{titleOf(job)}</bdi> {shortName(job.id)}
          </>
        ) : (
          `Job ${shortName(jobId)}`
        )
      }
      onClose={onClose}
      className="max-w-xl"
      about={job ? cardId(job.id) : undefined}
    >
      {job ? (
        <Details job={job} jobs={jobs} onPreview={(kind) => onPreview(job, kind)} onOpen={onOpen} />
      ) : job === null ? (
        <ReceiptOf
          jobId={jobId}
          none={
            <p role="status" className="py-8 text-center text-muted">
              There is no such job.
            </p>
          }
        />
      ) : error ? (
        <div role="alert" className="flex flex-col items-center gap-4 py-8 text-center text-muted">
          <p>{messageOf(error)}</p>
          <Button onClick={retry}>Try again</Button>
        </div>
      ) : (
        <DetailsDialog.Skeleton />
      )}
    </Modal>
  );
}

interface DetailsProps {
  job: Job;
  jobs: Jobs;
  onPreview: (kind: TileKind) => void;
  onOpen: (jobId: string) => void;
}

function Details({ job, jobs, onPreview, onOpen }: DetailsProps) {
  const kinds = tileKinds(job);
  return (
    <div className="flex flex-col gap-5">
      <ul className="flex flex-wrap gap-3">
        {kinds.map((kind) => (
          <li key={kind} className="flex flex-col gap-1.5">
            <MediaTile
              kind={kind}
              jobName={shortName(job.id)}
              media={tileMedia(job.media, kind)}
              onOpen={() => onPreview(kind)}
              renew={() => jobs.renewMedia(job.id, kind)}
            />
            <span className="text-center text-muted text-xs first-letter:uppercase">{TILE_NAMES[kind]}</span>
          </li>
        ))}
      </ul>
      <NameField key={job.id} job={job} onChange={jobs.amend} />
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2.5 text-sm">
        <Row name="Status">
          <StatusBadge status={job.status} />
          {isActive(job) && <Elapsed job={job} />}
        </Row>
        {job.status === "failed" && (
          <Row name="Reason">
            <ForeignText text={failureReason(job)} />
            <FailureHelp job={job} />
          </Row>
        )}
        <Row name="Video type">{typeLabel(job)}</Row>
        <Row name="Resolution">{job.resolution ?? "Unknown"}</Row>
        <Row name="Credits used">{costOf(job) ?? "Unknown"}</Row>
        <Recipe job={job} onOpen={onOpen} />
        <Row name="Created">{formatExact(job.created_at)}</Row>
        {job.completed_at && <Row name="Completed">{formatExact(job.completed_at)}</Row>}
        {job.status === "completed" && <Row name="Views">{formatViews(job)}</Row>}
        <Row name="Job id">
          <span className="break-all font-mono text-xs">{job.id}</span>
          <CopyButton name="Job id" text={job.id} />
        </Row>
      </dl>
      {job.status === "completed" && (
        <>
          <JobActions job={job} className="border-line border-t pt-4" />
          <ShareLink key={job.id} job={job} onChange={jobs.amend} />
        </>
      )}
    </div>
  );
}

DetailsDialog.Skeleton = function DetailsSkeleton() {
  return (
    <Pulsing className="flex flex-col gap-5">
      <p className="sr-only">Loading the job</p>
      <div className="flex flex-wrap gap-3">
        <MediaTile.Skeleton />
        <MediaTile.Skeleton />
      </div>
      {[1, 2, 3, 4].map((number) => (
        <Skeleton key={number} className="h-5 w-60 max-w-full" />
      ))}
    </Pulsing>
  );
};
