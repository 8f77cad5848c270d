import { statusLabel } from "@/components/StatusBadge";
import { useNow } from "@/hooks/use-now";
import type { Job } from "@/lib/job";
import { formatElapsed, parseTime } from "@/lib/time";

/** Shows, for example, "Processing... 2m 30s" and counts up each second. */
export function Elapsed({ job }: { job: Job }) {
  const now = useNow();
  const since = parseTime(job.created_at);
  return (
    <p className="text-sm text-muted tabular-nums" data-testid="elapsed">
      {statusLabel(job.status)}...{since !== null && ` ${formatElapsed(now - since)}`}
    </p>
  );
}
