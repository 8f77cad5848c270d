import { statusLabel } from "@/components/StatusBadge";
import { type Counts, type JobStatus, STATUSES } from "@/lib/job";

interface Props {
  /** Null for all; undefined where something else chooses the jobs. */
  status: JobStatus | null | undefined;
  counts: Counts | undefined;
  onChange: (status: JobStatus | null) => void;
}

export function StatusFilter({ status, counts, onChange }: Props) {
  return (
    <nav aria-label="Filter by status" className="-mx-3 overflow-x-auto px-3 py-1 sm:-mx-1 sm:px-1">
      <ul className="flex gap-2">
        {[null, ...STATUSES].map((one) => (
          <li key={one ?? "all"}>
            <button
              type="button"
              aria-pressed={one === status}
              onClick={() => onChange(one)}
              className="inline-flex min-h-11 items-center gap-2 whitespace-nowrap rounded-full border border-line px-3.5 font-medium text-muted text-sm transition-colors hover:border-slate-500 hover:text-ink aria-pressed:border-accent aria-pressed:bg-accent/10 aria-pressed:text-accent sm:min-h-9"
            >
              {one ? statusLabel(one) : "All"}
              <span className="min-w-4 text-center text-xs tabular-nums">
                {counts ? counts[one ?? "all"] : "–"}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
