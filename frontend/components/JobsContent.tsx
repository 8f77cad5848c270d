import type { ComponentType } from "react";
import { JobCard, type JobCardProps, type JobCommands } from "@/components/JobCard";
import { Failure, Outdated } from "@/components/LoadProblem";
import { Pager } from "@/components/Pager";
import { Gradually } from "@/components/ui/Gradually";
import { Pulsing } from "@/components/ui/Skeleton";
import { SteadyPlace } from "@/components/ui/SteadyPlace";
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

const GRID = "jobs-grid grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-4 xl:grid-cols-5 2xl:grid-cols-6";

/** The cards, or the reason why there are none. */
export function JobsContent({ jobs, view, navigation, selection, commands, Card, NothingFound }: Props) {
  const { list, error } = jobs;
  if (!Card) return <JobsContent.Skeleton />;
  if (!list || list.jobs.length === 0) {
    if (error && !jobs.loading) return <Failure title="Your jobs could not be loaded" list={jobs} />;
    return jobs.none && NothingFound ? (
      <NothingFound view={view} navigation={navigation} />
    ) : (
      <JobsContent.Skeleton />
    );
  }
  const cards = list.jobs.map((job) => (
    <li key={job.id} className={jobs.arrived.has(job.id) ? "animate-arrive" : ""}>
      <Card job={job} selected={selection.has(job)} commands={commands} />
    </li>
  ));
  return (
    <Gradually items={cards}>
      {(shown) => (
        <div aria-busy={jobs.loading || shown !== cards}>
          {error !== undefined && !jobs.loading && <Outdated list={jobs} />}
          <SteadyPlace first={list.jobs[0]?.id}>
            <ul className={Card === JobCard ? "flex flex-col gap-3 sm:gap-4" : GRID}>{shown}</ul>
          </SteadyPlace>
          {shown === cards && <Pager list={list} onPage={(page) => navigation.go({ page })} />}
        </div>
      )}
    </Gradually>
  );
}

JobsContent.Skeleton = function JobsContentSkeleton() {
  return (
    <Pulsing className="flex flex-col gap-3 sm:gap-4">
      <p className="sr-only">Loading your jobs</p>
      {[1, 2, 3, 4].map((number) => (
        <JobCard.Skeleton key={number} />
      ))}
    </Pulsing>
  );
};
