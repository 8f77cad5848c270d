import { statusLabel } from "@/components/StatusBadge";
import { useNow } from "@/hooks/use-now";
import { useWatching } from "@/hooks/use-watching";
import type { Job } from "@/lib/job";
import { formatElapsed, parseTime } from "@/lib/time";

/** Shows, for example, "Processing... 2m 30s", counts up each second, and says whether that is usual. */
export function Elapsed({ job }: { job: Job }) {
  const now = useNow();
  const watching = useWatching(true);
  const since = parseTime(job.created_at);
  return (
    <div className="flex flex-wrap items-baseline gap-x-3">
      <p className="text-sm text-muted tabular-nums" data-testid="elapsed">
        {statusLabel(job.status)}...{since !== null && ` ${formatElapsed(now - since)}`}
      </p>
      {watching && <watching.ClockNote job={job} />}
    </div>
  );
}
