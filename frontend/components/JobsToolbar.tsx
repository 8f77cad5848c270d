import { RefreshCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { SearchBox } from "@/components/SearchBox";
import { StatusFilter } from "@/components/StatusFilter";
import { Button } from "@/components/ui/Button";
import { Pulsing, Skeleton } from "@/components/ui/Skeleton";
import type { Jobs } from "@/hooks/use-jobs";
import type { Navigation } from "@/hooks/use-view";
import { TITLE_ID } from "@/lib/focus";
import { ALL, NO_FILTER, type View } from "@/lib/view";

interface Props {
  view: View;
  navigation: Navigation;
  jobs: Pick<Jobs, "counts">;
  /** The list that is shown. */
  list: Pick<Jobs, "loading" | "refresh">;
  /** Opens the dialog with all filters. */
  onFilter: () => void;
  /** Further buttons. */
  children?: ReactNode;
}

/** The page's title, and the controls that select the jobs below it. */
export function JobsToolbar({ view, navigation, jobs, list, onFilter, children }: Props) {
  // Choosing a filter discards text typed into the search box.
  const [filtered, setFiltered] = useState(0);
  // A search adds one step to the history, not one for each pause in typing.
  const find = (search: string) => {
    const show = view.search && search ? navigation.amend : navigation.go;
    show({ ...ALL, search });
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
        <Button onClick={onFilter} aria-haspopup="dialog" aria-label="Filter and sort">
          Filter
        </Button>
        <SearchBox key={filtered} search={view.search} onChange={find} />
      </div>
      <StatusFilter
        chosen={chosenIn(view)}
        counts={jobs.counts}
        onChange={(chosen) => {
          setFiltered((times) => times + 1);
          const shared = chosen === "shared";
          const deleted = chosen === "deleted";
          const apart = shared || deleted;
          const statuses = chosen === null || apart ? [] : [chosen];
          const rest = { statuses, shared, deleted, search: "", by: null, page: 1 };
          navigation.go(apart ? { ...NO_FILTER, ...rest } : rest);
        }}
      />
    </div>
  );
}

/** Returns the buttons that are pressed. A search replaces them. */
function chosenIn({ search, deleted, shared, statuses }: View) {
  if (search) return [];
  if (deleted) return ["deleted" as const];
  if (shared) return ["shared" as const];
  return statuses.length > 0 ? statuses : [null];
}

JobsToolbar.Skeleton = function JobsToolbarSkeleton() {
  return (
    <div className="relative mb-5 sm:mb-6">
      {/* Above the placeholders, as it does not pulse with them. */}
      <h1 className="absolute flex h-11 items-center font-semibold text-2xl tracking-tight sm:h-10 sm:text-3xl">
        Jobs
      </h1>
      <Pulsing className="flex flex-col gap-4">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
          <Skeleton className="ml-auto size-11 sm:size-10" />
          <Skeleton className="size-11 sm:size-10" />
          <Skeleton className="h-11 w-full sm:h-10 sm:w-80" />
        </div>
        <Skeleton className="h-11 w-full max-w-xl rounded-full sm:h-9" />
      </Pulsing>
    </div>
  );
};
