"use client";

import { Suspense, useEffect, useEffectEvent, useState } from "react";
import { JobCard, type JobCommands } from "@/components/JobCard";
import { JobsContent } from "@/components/JobsContent";
import { JobsToolbar } from "@/components/JobsToolbar";
import { LayoutToggle } from "@/components/LayoutToggle";
import { useSession } from "@/components/SessionGate";
import { statusLabel } from "@/components/StatusBadge";
import { Announcer } from "@/components/ui/Announcer";
import { useDeletion } from "@/hooks/use-deletion";
import { useTelling } from "@/hooks/use-environment";
import { useJobs } from "@/hooks/use-jobs";
import { Loads } from "@/hooks/use-media-source";
import { usePageChange } from "@/hooks/use-page-change";
import { usePart } from "@/hooks/use-part";
import { useRestore } from "@/hooks/use-restore";
import { useSelection } from "@/hooks/use-selection";
import { useTrash } from "@/hooks/use-trash";
import { useView } from "@/hooks/use-view";
import { useWatching } from "@/hooks/use-watching";
import { ERASED } from "@/lib/erasing";
import { listenTo } from "@/lib/events";
import { isActive, type Job, type JobFields, shortName } from "@/lib/job";
import { loadLater } from "@/lib/later";
import { prefersGrid, rememberLayout, showLayout } from "@/lib/layout";
import { asListed } from "@/lib/list";
import type { Stop } from "@/lib/tour";
import { ALL, isNarrowed } from "@/lib/view";
import { loadPartsOnFirstUse, parts } from "./parts";

export default function JobsPage() {
  const session = useSession();
  return (
    <Suspense fallback={<Loading />}>{session ? <JobsOf userId={session.userId} /> : <Loading />}</Suspense>
  );
}

function Loading() {
  return (
    <>
      <JobsToolbar.Skeleton />
      <JobsContent.Skeleton />
    </>
  );
}

interface Preview extends Stop {
  /** The job id of the details it was opened from, if any. It closes with them. */
  over: string | null;
}

function JobsOf({ userId }: { userId: string }) {
  const [view, navigation] = useView();
  const [announcement, setAnnouncement] = useState({ text: "", number: 0 });
  const announce = (text: string) => setAnnouncement(({ number }) => ({ text, number: number + 1 }));
  const loaded = useJobs(userId, view, {
    onChange: (changed) => announce(changed.map(describeChange).join(" ")),
    onArrival: ({ length }) =>
      announce(length === 1 ? "There is a new job." : `There are ${length} new jobs.`),
  });
  const { jobs, trash, restore } = useRestore(loaded, useTrash(userId, view), view);
  const selection = useSelection<JobFields>(view, jobs.list?.jobs ?? [], jobs.isGone, jobs.isLeaving);
  const drop = (job: JobFields) => {
    jobs.drop(job);
    selection.drop([job]);
  };
  const refresh = () => Promise.all([jobs.refresh(), trash.refresh()]);
  // The user may have gone to the trash, or come from there, before a deletion ends.
  const deletion = useDeletion({ ...jobs, drop, refresh }, restore);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [jobsToDelete, setJobsToDelete] = useState<JobFields[]>([]);
  /** What the preview shows once these jobs are deleted. */
  const [nextStop, setNextStop] = useState<Stop | null>(null);
  const [grid, setGrid] = useState(prefersGrid);
  useEffect(() => showLayout(grid), [grid]);
  useEffect(loadPartsOnFirstUse, []);
  const list = view.deleted ? trash : jobs;
  const refreshAll = useEffectEvent(refresh);
  useEffect(() => listenTo(ERASED)(() => void refreshAll()), []);
  usePageChange(view, navigation, list, announce);

  const closePreview = () => setPreview(null);
  const closeDelete = () => setJobsToDelete([]);
  const PreviewDialog = usePart(preview !== null, parts.previewDialog, closePreview);
  const DetailsDialog = usePart(view.details !== null, parts.detailsDialog, navigation.closeDetails);
  // A preview closes for good with its details, and must not reappear when they are opened again. One from which details
  // are opened stays until they are there, so that they know where the focus was.
  if (preview && preview.over !== view.details && (DetailsDialog || !view.details)) setPreview(null);

  const [filtering, setFiltering] = useState(false);
  const closeFilter = () => setFiltering(false);
  const finds = view.search !== "" || isNarrowed(view);
  const wishes = [filtering, jobsToDelete.length > 0, finds, jobs.none, selection.jobs.length > 0];
  const later = usePart(wishes.filter(Boolean).length, loadLater, () => {
    closeFilter();
    closeDelete();
  });
  const closeTrash = () => navigation.amend({ deleted: false });
  const showGrid = (on: boolean) => {
    setGrid(on);
    rememberLayout(on);
  };
  const GridCard = usePart(grid, parts.gridCard, () => setGrid(false));
  const TrashContent = usePart(view.deleted, parts.trashContent, closeTrash);

  const shown = [...(jobs.list?.jobs ?? []), jobs.details.job];
  const watching = useWatching(useTelling() || shown.some((job) => job && isActive(job)));

  const commands: JobCommands = {
    preview: (job, kind) => setPreview({ job, scene: kind, over: view.details }),
    openDetails: (job) => navigation.openDetails(job.id),
    remove: (job) => setJobsToDelete([job]),
    select: selection.select,
    renewMedia: jobs.renewMedia,
  };
  const confirmDeletion = async (confirmed: JobFields[]) => {
    if (preview) setPreview(nextStop && { ...preview, ...nextStop });
    // For one job the dialog closes immediately; for several it stays open and shows each result.
    if (jobsToDelete.length === 1) closeDelete();
    const allDeleted = await deletion.remove(confirmed);
    if (allDeleted) setJobsToDelete((now) => (now === jobsToDelete ? [] : now));
  };

  return (
    <Loads value={jobs.loads}>
      <JobsToolbar
        view={view}
        navigation={navigation}
        jobs={jobs}
        list={list}
        onFilter={() => setFiltering(true)}
      >
        {!view.deleted && <LayoutToggle grid={grid} onChange={showGrid} />}
      </JobsToolbar>
      {finds && later && <later.FindingBar view={view} navigation={navigation} jobs={jobs} />}
      {later && (
        <later.JobsSelection
          selection={selection}
          view={view}
          list={jobs.list}
          onDelete={setJobsToDelete}
          announce={announce}
        />
      )}
      {!view.deleted ? (
        <JobsContent
          jobs={jobs}
          view={view}
          navigation={navigation}
          selection={selection}
          commands={commands}
          Card={grid ? GridCard : JobCard}
          NothingFound={later?.NothingFound}
        />
      ) : TrashContent ? (
        <TrashContent trash={trash} view={view} navigation={navigation} onRestore={restore} />
      ) : (
        <JobsContent.Skeleton />
      )}
      <Announcer announcement={announcement} />
      {filtering && later && (
        <later.FilterDialog
          filter={view}
          counts={jobs.counts}
          onApply={(filter) => {
            closeFilter();
            navigation.go({ ...ALL, ...filter });
          }}
          onClose={closeFilter}
        />
      )}
      {watching && <watching.Watch jobs={jobs} onOpen={navigation.openDetails} />}
      {view.details && DetailsDialog && (
        <DetailsDialog
          jobId={view.details}
          jobs={jobs}
          onPreview={commands.preview}
          onOpen={navigation.openDetails}
          onClose={navigation.closeDetails}
        />
      )}
      {preview && PreviewDialog && (
        <PreviewDialog
          jobs={jobs}
          stop={preview}
          overDetails={preview.over !== null}
          onMove={(stop) => setPreview({ ...preview, ...stop })}
          onDetails={commands.openDetails}
          onDelete={(job, next) => {
            setNextStop(next);
            commands.remove(job);
          }}
          onClose={closePreview}
        />
      )}
      {jobsToDelete.length > 0 && later && (
        <later.DeleteDialog
          jobs={asListed(jobsToDelete, jobs.list)}
          outcomes={deletion.outcomes}
          onConfirm={confirmDeletion}
          onClose={closeDelete}
          listed={jobs.list?.jobs ?? []}
          movesFocus={!preview || !nextStop}
        />
      )}
    </Loads>
  );
}

function describeChange(job: Job): string {
  return `Job ${shortName(job.id)} is now ${statusLabel(job.status).toLowerCase()}.`;
}
