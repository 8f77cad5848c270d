import { Download, Info, Link2, Trash2 } from "lucide-react";
import { useState } from "react";
import { Elapsed } from "@/components/Elapsed";
import { FailureHelp } from "@/components/FailureHelp";
import { Button } from "@/components/ui/Button";
import { download } from "@/lib/actions";
import { copyShareLink } from "@/lib/copying";
import { isActive, type Job, shortName } from "@/lib/job";

interface Props {
  job: Job;
  className?: string;
  /** Omitted when the details are already open. */
  onDetails?: () => void;
  onDelete?: () => void;
  /** Shows icons only, side by side in the width that there is. */
  compact?: boolean;
}

const SMALL = "w-11 sm:w-10";
const EQUAL = "min-w-0 flex-1 px-0!";

/**
 * The buttons for a job. Only a completed job can be downloaded and shared. While a job is under way, the time that has
 * passed takes the place of its actions, and those that it has are small.
 */
export function JobActions({ job, className = "", onDetails, onDelete, compact = false }: Props) {
  /** Ids of jobs whose download begins: in the preview, the next job takes this one's place meanwhile. */
  const [downloading, setDownloading] = useState<string[]>([]);
  const name = shortName(job.id);
  const active = isActive(job);
  const icon = compact ? EQUAL : SMALL;
  const save = async () => {
    setDownloading((ids) => [...ids, job.id]);
    await download(job);
    setDownloading((ids) => ids.filter((id) => id !== job.id));
  };
  return (
    <div className={`flex flex-wrap items-center gap-2 ${className}`}>
      {active && (
        // The buttons stay where they are when a note comes later.
        <div className={compact ? "w-full px-1" : "min-w-0 flex-1"}>
          <Elapsed job={job} />
        </div>
      )}
      {onDetails && (
        <Button
          onClick={onDetails}
          aria-label={`Details of job ${name}`}
          {...((active || compact) && { title: "Details", className: icon })}
        >
          <Info aria-hidden className="size-4 shrink-0" />
          {!active && !compact && "Details"}
        </Button>
      )}
      {job.status === "completed" && (
        <>
          <Button
            look="primary"
            onClick={save}
            busy={downloading.includes(job.id)}
            aria-label={`Download job ${name}`}
            {...(compact && { title: "Download", className: icon })}
          >
            <Download aria-hidden className="size-4 shrink-0" />
            {!compact && "Download"}
          </Button>
          <Button
            onClick={() => copyShareLink(job, onDetails)}
            aria-label={`Copy link for job ${name}`}
            {...(compact && { title: "Copy Link", className: icon })}
          >
            <Link2 aria-hidden className="size-4 shrink-0" />
            {!compact && "Copy Link"}
          </Button>
        </>
      )}
      {job.status === "failed" && <FailureHelp job={job} />}
      {onDelete && (
        <Button
          look="danger"
          onClick={onDelete}
          aria-label={`Delete job ${name}`}
          title="Delete"
          className={`${active || compact ? "" : "ml-auto"} ${icon}`}
        >
          <Trash2 aria-hidden className="size-4 shrink-0" />
        </Button>
      )}
    </div>
  );
}
