import { Download, Info, Link2, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/Button";
import { copyShareLink, download } from "@/lib/actions";
import { type Job, shortName } from "@/lib/job";

interface Props {
  job: Job;
  className?: string;
  /** Omitted when the details are already open. */
  onDetails?: () => void;
  onDelete?: () => void;
}

/** The buttons for a job. Only a completed job can be downloaded and shared. */
export function JobActions({ job, className = "", onDetails, onDelete }: Props) {
  const [downloading, setDownloading] = useState(false);
  const name = shortName(job.id);
  const save = async () => {
    setDownloading(true);
    await download(job);
    setDownloading(false);
  };
  return (
    <div className={`flex flex-wrap gap-2 ${className}`}>
      {job.status === "completed" && (
        <>
          <Button look="primary" onClick={save} busy={downloading} aria-label={`Download job ${name}`}>
            <Download aria-hidden className="size-4" />
            Download
          </Button>
          <Button onClick={() => copyShareLink(job)} aria-label={`Copy link for job ${name}`}>
            <Link2 aria-hidden className="size-4" />
            Copy Link
          </Button>
        </>
      )}
      {onDetails && (
        <Button onClick={onDetails} aria-label={`Details of job ${name}`}>
          <Info aria-hidden className="size-4" />
          Details
        </Button>
      )}
      {onDelete && (
        <Button
          look="danger"
          onClick={onDelete}
          aria-label={`Delete job ${name}`}
          title="Delete"
          className="ml-auto w-11 sm:w-10"
        >
          <Trash2 aria-hidden className="size-4 shrink-0" />
        </Button>
      )}
    </div>
  );
}
