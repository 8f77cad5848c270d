import { useState } from "react";
import { useNow } from "@/hooks/use-now";
import { formatAge, formatExact, parseTime } from "@/lib/time";

/**
 * How long ago something happened. The tooltip has the exact time, which takes long to format for the first time. For those
 * who cannot point at it, that stands in what the card opens: a job's details, or a deletion's receipt.
 */
export function Age({ time }: { time: string | null }) {
  const now = useNow();
  const [pointedAt, setPointedAt] = useState(false);
  const parsed = parseTime(time);
  if (time === null || parsed === null) return <span>Unknown time</span>;
  return (
    <time
      dateTime={time}
      title={pointedAt ? formatExact(time) : undefined}
      onPointerEnter={() => setPointedAt(true)}
    >
      {formatAge(parsed, Math.max(now, parsed))}
    </time>
  );
}
