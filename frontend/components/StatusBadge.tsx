import {
  CircleCheck,
  CirclePause,
  CircleQuestionMark,
  CircleX,
  Clock,
  Hourglass,
  type LucideIcon,
} from "lucide-react";
import { isStatus, type JobStatus } from "@/lib/job";

interface Look {
  label: string;
  Icon: LucideIcon;
  className: string;
}

const LOOKS: Record<JobStatus, Look> = {
  completed: {
    label: "Completed",
    Icon: CircleCheck,
    className: "border-green-400/30 bg-green-400/10 text-green-300",
  },
  processing: {
    label: "Processing",
    Icon: Hourglass,
    className:
      "relative border-amber-400/40 bg-amber-400/10 text-amber-300 before:absolute before:-inset-1 before:animate-badge before:rounded-full before:border-4 before:border-amber-400/25 motion-reduce:before:hidden",
  },
  failed: { label: "Failed", Icon: CircleX, className: "border-red-400/30 bg-red-400/10 text-red-300" },
  queued: {
    label: "Queued",
    Icon: CirclePause,
    className: "border-blue-400/30 bg-blue-400/10 text-blue-300",
  },
  pending: {
    label: "Pending",
    Icon: Clock,
    className: "border-yellow-300/30 bg-yellow-300/10 text-yellow-200",
  },
};

function lookOf(status: string | null): Look {
  if (isStatus(status)) return LOOKS[status];
  // A later version of the product may add statuses that this page does not know.
  const label = status ? status.charAt(0).toUpperCase() + status.slice(1).replaceAll("_", " ") : "Unknown";
  return { label, Icon: CircleQuestionMark, className: "border-slate-400/30 bg-slate-400/10 text-slate-300" };
}

export function statusLabel(status: string | null): string {
  return lookOf(status).label;
}

export function StatusBadge({ status }: { status: string | null }) {
  const { label, Icon, className } = lookOf(status);
  return (
    <span
      className={`inline-flex max-w-full items-center gap-1.5 rounded-full border px-2.5 py-1 font-medium text-xs ${className}`}
    >
      <Icon aria-hidden className="size-3.5 shrink-0" />
      <span className="truncate">{label}</span>
    </span>
  );
}
