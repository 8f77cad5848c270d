import { Download, Info, Link2, Trash2 } from "lucide-react";
import { useState } from "react";
import { Elapsed } from "@/components/Elapsed";
import { FailureHelp } from "@/components/FailureHelp";
import { Button } from "@/components/ui/Button";
import { copyShareLink } from "@/lib/actions";
import { messageOf } from "@/lib/errors";
import { isActive, type Job, shortName } from "@/lib/job";
import { late } from "@/lib/late";
import { loadLater } from "@/lib/later";
import { notify } from "@/lib/notify";

interface Props {
  job: Job;
  className?: string;
  /** Omitted when the details are already open. */
  onDetails?: () => void;
  onDelete?: () => void;
}

const SMALL = "w-11 sm:w-10";

/**
 * The buttons for a job. Only a completed job can be downloaded and shared. While a job is under way, the time that has
 * passed takes the place of its actions, and those that it has are small.
 */
export function JobActions({ job, className = "", onDetails, onDelete }: Props) {
  const [downloading, setDownloading] = useState(false);
  const name = shortName(job.id);
  const active = isActive(job);
  const save = async () => {
    setDownloading(true);
    try {
      await (await late(loadLater)).download(job);
    } catch (error) {
      notify("error", `Job ${name} could not be downloaded`, messageOf(error));
    }
    setDownloading(false);
  };
  return (
    <div className={`flex flex-wrap items-center gap-2 ${className}`}>
      {active && (
        <div className="mr-auto">
          <Elapsed job={job} />
        </div>
      )}
      {onDetails && (
        <Button
          onClick={onDetails}
          aria-label={`Details of job ${name}`}
          {...(active && { title: "Details", className: SMALL })}
        >
          <Info aria-hidden className="size-4 shrink-0" />
          {!active && "Details"}
        </Button>
      )}
      {job.status === "completed" && (
        <>
          <Button look="primary" onClick={save} busy={downloading} aria-label={`Download job ${name}`}>
            <Download aria-hidden className="size-4" />
            Download
          </Button>
          <Button onClick={() => copyShareLink(job, onDetails)} aria-label={`Copy link for job ${name}`}>
            <Link2 aria-hidden className="size-4" />
            Copy Link
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
          className={`${active ? "" : "ml-auto"} ${SMALL}`}
        >
          <Trash2 aria-hidden className="size-4 shrink-0" />
        </Button>
      )}
    </div>
  );
}
