import { X } from "lucide-react";
import { Button } from "@/components/ui/Button";
import type { Jobs } from "@/hooks/use-jobs";
import type { Navigation } from "@/hooks/use-view";
import { partsOf } from "@/lib/filter";
import { focusTitle } from "@/lib/focus";
import { isNarrowed, NO_FILTER, type View, waysToSearch } from "@/lib/view";

interface Props {
  view: View;
  navigation: Navigation;
  jobs: Pick<Jobs, "list" | "none">;
}

/** Says what selects the jobs below, as far as the buttons and the search box do not show it, and takes it back. */
export function FindingBar({ view, navigation, jobs }: Props) {
  // The button that has the focus disappears.
  const change = (to: Partial<View>) => {
    focusTitle();
    navigation.go({ ...to, page: 1 });
  };
  if (view.search) {
    const by = jobs.list?.by;
    const other = waysToSearch({ ...view, by: null }).find((way) => way !== by);
    // If nothing was found by either, there is nothing else to search.
    return by && other && (view.by || !jobs.none) ? (
      <div className="-mt-2 mb-4 flex flex-wrap items-center gap-x-3 gap-y-2 text-muted text-sm">
        <p>
          Jobs whose {by} begins with “<bdi className="wrap-anywhere">{view.search}</bdi>”
        </p>
        <Button onClick={() => change({ by: other })}>Search {other}s instead</Button>
      </div>
    ) : null;
  }
  if (!isNarrowed(view)) return null;
  return (
    <ul aria-label="Filters" className="-mt-2 mb-4 flex flex-wrap items-center gap-2">
      {partsOf(view).map(({ label, without }) => (
        <li key={label}>
          <Button
            onClick={() => change(without)}
            aria-label={`Remove the filter ${label}`}
            className="rounded-full!"
          >
            {label}
            <X aria-hidden className="size-4" />
          </Button>
        </li>
      ))}
      <li>
        <Button onClick={() => change(NO_FILTER)}>Clear all</Button>
      </li>
    </ul>
  );
}
