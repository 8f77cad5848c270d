import { useLayoutEffect, useRef } from "react";
import { statusLabel } from "@/components/StatusBadge";
import { type Counts, GROUPS, type Group, STATUSES } from "@/lib/job";
import { settings } from "@/lib/settings";

/** Null stands for all live jobs. */
type Filter = Group | "shared" | "deleted" | null;

interface Props {
  /** None if a search is active instead. */
  chosen: readonly Filter[];
  counts: Counts | undefined;
  onChange: (chosen: Filter) => void;
}

export function StatusFilter({ chosen, counts, onChange }: Props) {
  // Other statuses are rare, so they have a button only if there are such jobs.
  const groups = counts?.other || chosen.includes("other") ? GROUPS : STATUSES;
  // Where nothing is kept, there is no trash.
  const trash = settings.softDeleteDays > 0 ? (["deleted"] as const) : [];
  const bar = useRef<HTMLElement>(null);
  const scrolled = useRef(false);
  // On a phone the bar is wider than the window.
  // biome-ignore lint/correctness/useExhaustiveDependencies: both change where the chosen button is
  useLayoutEffect(() => {
    const button = bar.current?.querySelector<HTMLElement>("[aria-pressed=true]");
    if (!bar.current || !button) return;
    // The first button is in sight at first. To ask for its place would take a layout before anything is drawn.
    if (chosen.includes(null) && !scrolled.current) return;
    scrolled.current = true;
    const middle = button.offsetLeft - bar.current.offsetLeft + button.offsetWidth / 2;
    bar.current.scrollLeft = middle - bar.current.clientWidth / 2;
  }, [chosen.join(), counts !== undefined]);
  return (
    <nav ref={bar} aria-label="Filter by status" className="-mx-3 overflow-x-auto px-3 py-1 sm:-mx-1 sm:px-1">
      <ul className="flex gap-2">
        {[null, ...groups, "shared" as const, ...trash].map((one) => (
          <li key={one ?? "all"}>
            <button
              type="button"
              aria-pressed={chosen.includes(one)}
              onClick={() => onChange(one)}
              className="chip inline-flex items-center gap-2 whitespace-nowrap px-3.5"
            >
              {one ? statusLabel(one) : "All"}
              {one !== "deleted" && one !== "shared" && (
                <span className="min-w-4 text-center text-xs tabular-nums">
                  {counts ? counts[one ?? "all"] : "–"}
                </span>
              )}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
