import type { ComponentType } from "react";
import { JobCard, type JobCardProps, type JobCommands } from "@/components/JobCard";
import { Failure, Outdated } from "@/components/LoadProblem";
import { Pager } from "@/components/Pager";
import { Gradually } from "@/components/ui/Gradually";
import { Pulsing, Skeleton } from "@/components/ui/Skeleton";
import { SteadyPlace } from "@/components/ui/SteadyPlace";
import { InView } from "@/hooks/use-in-view";
import type { Jobs } from "@/hooks/use-jobs";
import type { Selection } from "@/hooks/use-selection";
import type { Navigation } from "@/hooks/use-view";
import type { View } from "@/lib/view";

interface Props {
  jobs: Jobs;
  view: View;
  navigation: Navigation;
  selection: Selection;
  commands: JobCommands;
  /** What shows a job: a card of the list or, null while it is loading, one of the grid. */
  Card: ComponentType<JobCardProps> | null;
  /** Says why there are no jobs; undefined until it is loaded. */
  NothingFound: ComponentType<Pick<Props, "view" | "navigation">> | undefined;
}

export const LIST = "flex flex-col gap-3 sm:gap-4";
/** The width of a list where the page makes room for the grid. */
export const LIST_WIDTH = "mx-auto max-w-5xl";
const GRID = "grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-4 xl:grid-cols-5 2xl:grid-cols-6";
/** Of placeholders: two rows of the grid on a big screen. */
const PLACES = [...Array(12).keys()];

/** The cards, or the reason why there are none. */
export function JobsContent({ jobs, view, navigation, selection, commands, Card, NothingFound }: Props) {
  const { list, error } = jobs;
  const grid = Card !== JobCard;
  if (!Card) return <JobsContent.Skeleton grid />;
  if (!list || list.jobs.length === 0) {
    if (error && !jobs.loading) return <Failure title="Your jobs could not be loaded" list={jobs} />;
    return jobs.none && NothingFound ? (
      <NothingFound view={view} navigation={navigation} />
    ) : (
      <JobsContent.Skeleton grid={grid} />
    );
  }
  const cards = list.jobs.map((job, place) => (
    <li key={job.id} className={jobs.arrived.has(job.id) ? "animate-arrive" : ""}>
      <InView value={place === 0 && jobs.loads === 1}>
        <Card job={job} selected={selection.has(job)} commands={commands} />
      </InView>
    </li>
  ));
  return (
    <Gradually items={cards}>
      {(shown) => (
        <div aria-busy={jobs.loading || shown !== cards}>
          {error !== undefined && !jobs.loading && <Outdated list={jobs} />}
          <SteadyPlace layout={list.jobs.map((job) => job.id + job.status).join()}>
            <ul className={grid ? GRID : LIST}>{shown}</ul>
          </SteadyPlace>
          {shown === cards && <Pager list={list} onPage={(page) => navigation.go({ page })} />}
        </div>
      )}
    </Gradually>
  );
}

JobsContent.Skeleton = function JobsContentSkeleton({ grid = false }: { grid?: boolean }) {
  return (
    <Pulsing className={grid ? GRID : `${LIST} ${LIST_WIDTH}`}>
      <p className="sr-only">Loading your jobs</p>
      {grid
        ? PLACES.map((place) => <Skeleton key={place} className="aspect-3/5 rounded-2xl" />)
        : PLACES.slice(0, 4).map((place) => <JobCard.Skeleton key={place} />)}
    </Pulsing>
  );
};
