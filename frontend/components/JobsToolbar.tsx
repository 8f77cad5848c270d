import { RefreshCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { SearchBox } from "@/components/SearchBox";
import { StatusFilter } from "@/components/StatusFilter";
import { Button } from "@/components/ui/Button";
import { Skeleton } from "@/components/ui/Skeleton";
import type { Jobs } from "@/hooks/use-jobs";
import type { Navigation } from "@/hooks/use-view";
import { TITLE_ID } from "@/lib/focus";
import type { View } from "@/lib/view";

interface Props {
  view: View;
  navigation: Navigation;
  jobs: Pick<Jobs, "counts">;
  /** The list that is shown. */
  list: Pick<Jobs, "loading" | "refresh">;
  /** Further buttons. */
  children?: ReactNode;
}

/** The page's title, and the controls that select the jobs below it. */
export function JobsToolbar({ view, navigation, jobs, list, children }: Props) {
  // Choosing a filter discards text typed into the search box.
  const [filtered, setFiltered] = useState(0);
  // A search adds one step to the history, not one for each pause in typing.
  const find = (search: string) => {
    const show = view.search && search ? navigation.amend : navigation.go;
    show({ search, status: null, deleted: false, page: 1 });
  };
  return (
    <div className="mb-5 flex flex-col gap-4 sm:mb-6">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <h1 id={TITLE_ID} tabIndex={-1} className="font-semibold text-2xl tracking-tight sm:text-3xl">
          Jobs
        </h1>
        <Button
          onClick={list.refresh}
          busy={list.loading}
          aria-label="Refresh the list"
          className="ml-auto w-11 sm:w-10"
        >
          <RefreshCw aria-hidden className={`size-4 shrink-0 ${list.loading ? "animate-spin" : ""}`} />
        </Button>
        {children}
        <SearchBox key={filtered} search={view.search} onChange={find} />
      </div>
      <StatusFilter
        chosen={view.search ? undefined : view.deleted ? "deleted" : view.status}
        counts={jobs.counts}
        onChange={(chosen) => {
          setFiltered((times) => times + 1);
          const deleted = chosen === "deleted";
          navigation.go({ status: deleted ? null : chosen, deleted, search: "", page: 1 });
        }}
      />
    </div>
  );
}

JobsToolbar.Skeleton = function JobsToolbarSkeleton() {
  return (
    <div className="mb-5 flex flex-col gap-4 sm:mb-6">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <h1 className="mr-auto font-semibold text-2xl tracking-tight sm:text-3xl">Jobs</h1>
        <Skeleton className="size-11 sm:size-10" />
        <Skeleton className="size-11 sm:size-10" />
        <Skeleton className="h-11 w-full sm:h-10 sm:w-80" />
      </div>
      <Skeleton className="h-11 w-full max-w-xl rounded-full sm:h-9" />
    </div>
  );
};
