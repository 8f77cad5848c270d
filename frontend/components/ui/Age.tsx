import { useNow } from "@/hooks/use-now";
import { formatAge, formatExact, parseTime } from "@/lib/time";

/** How long ago something happened. The tooltip has the exact time. */
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
