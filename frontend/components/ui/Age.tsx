import { useNow } from "@/hooks/use-now";
import { formatAge, formatExact, parseTime } from "@/lib/time";

/** How long ago something was, with the exact time for whoever points at it. */
export function Age({ time }: { time: string | null }) {
  const now = useNow();
  const parsed = parseTime(time);
  if (time === null || parsed === null) return <span>Unknown time</span>;
  return (
    <time dateTime={time} title={formatExact(time)}>
      {formatAge(parsed, Math.max(now, parsed))}
    </time>
  );
}
