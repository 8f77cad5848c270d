"use client";

import { Suspense, useEffect, useEffectEvent, useState } from "react";
import type { JobCommands } from "@/components/JobCard";
import { JobsContent } from "@/components/JobsContent";
import { JobsToolbar } from "@/components/JobsToolbar";
import { useSession } from "@/components/SessionGate";
import { statusLabel } from "@/components/StatusBadge";
import { Announcer } from "@/components/ui/Announcer";
import { useDeletion } from "@/hooks/use-deletion";
import { useJobs } from "@/hooks/use-jobs";
import { Loads } from "@/hooks/use-media-source";
import { usePageChange } from "@/hooks/use-page-change";
import { usePart } from "@/hooks/use-part";
import { useRestore } from "@/hooks/use-restore";
import { useSelection } from "@/hooks/use-selection";
import { useTrash } from "@/hooks/use-trash";
import { useView } from "@/hooks/use-view";
import { useWatching } from "@/hooks/use-watching";
import { onErased } from "@/lib/erasing";
import { focusAfterDeletion } from "@/lib/focus";
import { isActive, type Job, type JobFields, shortName } from "@/lib/job";
import { loadLater } from "@/lib/later";
import type { TileKind } from "@/lib/media";
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

interface PreviewMedia {
  job: Job;
  kind: TileKind;
  /** The job id of the details it was opened from, if any. It closes with them. */
  over: string | null;
}

function JobsOf({ userId }: { userId: string }) {
  const [view, navigation] = useView();
  const [announcement, announce] = useState("");
  const loaded = useJobs(userId, view, {
    onChange: (changed) => announce(changed.map(describeChange).join(" ")),
    onArrival: ({ length }) =>
      announce(length === 1 ? "There is a new job." : `There are ${length} new jobs.`),
  });
  const { jobs, trash, restore } = useRestore(loaded, useTrash(userId, view), view);
  const deletion = useDeletion(jobs, restore);
  const selection = useSelection<JobFields>(
    view,
    jobs.list?.jobs ?? [],
    (job) => deletion.outcomes[job.id]?.state === "done",
  );
  const [preview, setPreview] = useState<PreviewMedia | null>(null);
  const [jobsToDelete, setJobsToDelete] = useState<JobFields[]>([]);
  useEffect(loadPartsOnFirstUse, []);
  const list = view.deleted ? trash : jobs;
  const refreshAll = useEffectEvent(() => void Promise.all([jobs.refresh(), trash.refresh()]));
  useEffect(() => onErased(() => refreshAll()), []);
  usePageChange(view, navigation, list, announce);

  // A preview closes for good with its details, and must not reappear when they are opened again.
  if (preview && preview.over !== view.details) setPreview(null);
  const closePreview = () => setPreview(null);
  const closeDelete = () => setJobsToDelete([]);
  const PreviewDialog = usePart(preview !== null, parts.previewDialog, closePreview);
  const DetailsDialog = usePart(view.details !== null, parts.detailsDialog, navigation.closeDetails);
  const DeleteDialog = usePart(jobsToDelete.length > 0, parts.deleteDialog, closeDelete);

  const [filtering, setFiltering] = useState(false);
  const closeFilter = () => setFiltering(false);
  const finds = view.search !== "" || isNarrowed(view);
  const later = usePart(filtering || finds || jobs.none || selection.jobs.length > 0, loadLater, closeFilter);
  const closeTrash = () => navigation.amend({ deleted: false });
  const TrashContent = usePart(view.deleted, parts.trashContent, closeTrash);

  const watching = useWatching(jobs.list?.jobs.some(isActive) ?? false);

  const commands: JobCommands = {
    preview: (job, kind) => setPreview({ job, kind, over: view.details }),
    openDetails: (job) => navigation.openDetails(job.id),
    remove: (job) => setJobsToDelete([job]),
    select: selection.select,
    renewMedia: jobs.renewMedia,
  };
  const confirmDeletion = async (confirmed: JobFields[]) => {
    focusAfterDeletion.plan(jobs.list?.jobs ?? [], confirmed);
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
      />
      {finds && later && <later.FindingBar view={view} navigation={navigation} jobs={jobs} />}
      {selection.jobs.length > 0 && later && (
        <later.JobsSelection selection={selection} view={view} list={jobs.list} onDelete={setJobsToDelete} />
      )}
      {!view.deleted ? (
        <JobsContent
          jobs={jobs}
          view={view}
          navigation={navigation}
          selection={selection}
          commands={commands}
          NothingFound={later?.NothingFound}
        />
      ) : TrashContent ? (
        <TrashContent trash={trash} view={view} navigation={navigation} onRestore={restore} />
      ) : (
        <JobsContent.Skeleton />
      )}
      <Announcer text={announcement} />
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
      {watching && <watching.Watch jobs={jobs.list?.jobs} onOpen={navigation.openDetails} />}
      {view.details && DetailsDialog && (
        <DetailsDialog
          jobId={view.details}
          jobs={jobs}
          onPreview={commands.preview}
          onClose={navigation.closeDetails}
        />
      )}
      {preview && PreviewDialog && (
        <PreviewDialog
          media={jobs.thumbnails[preview.job.id] ?? preview.job.media}
          kind={preview.kind}
          renewMedia={jobs.renewMedia}
          onClose={closePreview}
        />
      )}
      {jobsToDelete.length > 0 && DeleteDialog && (
        <DeleteDialog
          jobs={jobsToDelete}
          outcomes={deletion.outcomes}
          onConfirm={confirmDeletion}
          onClose={closeDelete}
          restoreFocus={focusAfterDeletion.apply}
        />
      )}
    </Loads>
  );
}

function describeChange(job: Job): string {
  return `Job ${shortName(job.id)} is now ${statusLabel(job.status).toLowerCase()}.`;
}
