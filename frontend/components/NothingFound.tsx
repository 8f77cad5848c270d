import { Clapperboard, SearchX } from "lucide-react";
import { statusLabel } from "@/components/StatusBadge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Notice } from "@/components/ui/Notice";
import type { Navigation } from "@/hooks/use-view";
import { describeFilter } from "@/lib/filter";
import { focusTitle } from "@/lib/focus";
import { settings } from "@/lib/settings";
import { ALL, isNarrowed, NO_FILTER, type View, waysToSearch } from "@/lib/view";

interface Props {
  view: View;
  navigation: Navigation;
}

/** Says why there are no jobs, and what to clear. */
export function NothingFound({ view, navigation }: Props) {
  const { search, statuses } = view;
  const showAll = () => {
    focusTitle();
    navigation.go(ALL);
  };
  if (search) {
    return (
      <Notice title="No job found" icon={<SearchX className="size-7" />}>
        <p className="wrap-anywhere">
          None of your job {waysToSearch(view).join("s or ") || "id"}s begins with “<bdi>{search}</bdi>”.
        </p>
        <Button onClick={showAll}>Show all jobs</Button>
      </Notice>
    );
  }
  if (isNarrowed({ ...view, oldest: false })) {
    return (
      <Notice title="No such jobs" icon={<SearchX className="size-7" />}>
        <p>None of your jobs matches all of this: {describeFilter(view).join(", ")}.</p>
        <Button
          onClick={() => {
            focusTitle();
            navigation.go({ ...NO_FILTER, page: 1 });
          }}
        >
          Clear the filters
        </Button>
      </Notice>
    );
  }
  if (view.shared) {
    return (
      <Notice title="No shared jobs" icon={<SearchX className="size-7" />}>
        <p>None of your jobs has a share link.</p>
        <Button onClick={showAll}>Show all jobs</Button>
      </Notice>
    );
  }
  if (statuses[0]) {
    return (
      <Notice
        title={`No ${statusLabel(statuses[0]).toLowerCase()} jobs`}
        icon={<Clapperboard className="size-7" />}
      >
        <p>None of your jobs has this status.</p>
        <Button onClick={showAll}>Show all jobs</Button>
      </Notice>
    );
  }
  return (
    <Notice title="No videos yet" icon={<Clapperboard className="size-7" />}>
      <p>Videos that you start appear here, where you can follow, watch and share them.</p>
      {settings.createUrl && (
        <ButtonLink look="primary" href={settings.createUrl}>
          Start a video
        </ButtonLink>
      )}
    </Notice>
  );
}
