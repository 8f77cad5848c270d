"use client";

import { lazy, Suspense, useEffect, useState } from "react";
import { Announcer } from "@/components/Announcer";
import type { JobCommands } from "@/components/JobCard";
import { JobsContent } from "@/components/JobsContent";
import { JobsToolbar } from "@/components/JobsToolbar";
import { SelectionBar } from "@/components/SelectionBar";
import { useSession } from "@/components/SessionGate";
import { statusLabel } from "@/components/StatusBadge";
import { useDeletion } from "@/hooks/use-deletion";
import { useJobs } from "@/hooks/use-jobs";
import { usePageChange } from "@/hooks/use-page-change";
import { useView } from "@/hooks/use-view";
import { focusAfterDeletion } from "@/lib/focus";
import { type Job, shortName } from "@/lib/job";
import type { TileKind } from "@/lib/media";
import { loadPartsOnFirstUse, parts } from "@/lib/parts";

const DeleteDialog = lazy(parts.deleteDialog);
const DetailsDialog = lazy(parts.detailsDialog);
const PreviewDialog = lazy(parts.previewDialog);

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
}

function JobsOf({ userId }: { userId: string }) {
  const [view, navigation] = useView();
  const [announcement, announce] = useState("");
  const jobs = useJobs(userId, view, (changed) => announce(changed.map(describeChange).join(" ")));
  const deletion = useDeletion(jobs);
  const [previewMedia, setPreviewMedia] = useState<PreviewMedia | null>(null);
  const [jobsToDelete, setJobsToDelete] = useState<Job[]>([]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  useEffect(loadPartsOnFirstUse, []);
  usePageChange(view, navigation, jobs, announce);

  const listed = jobs.list?.jobs ?? [];
  const chosen = listed.filter((job) => selected.has(job.id));
  const commands: JobCommands = {
    preview: (job, kind) => setPreviewMedia({ job, kind }),
    openDetails: (job) => navigation.openDetails(job.id),
    remove: (job) => setJobsToDelete([job]),
    select: (job, on) =>
      setSelected((before) => new Set([...before].filter((id) => id !== job.id).concat(on ? job.id : []))),
    renewMedia: jobs.renewMedia,
  };
  const confirmDeletion = async (confirmed: Job[]) => {
    focusAfterDeletion.plan(listed, confirmed);
    // One job leaves in silence; for several the dialog stays and tells of each.
    if (jobsToDelete.length === 1) setJobsToDelete([]);
    const allDeleted = await deletion.remove(confirmed);
    if (allDeleted) setJobsToDelete((now) => (now === jobsToDelete ? [] : now));
  };

  return (
    <>
      <JobsToolbar view={view} navigation={navigation} jobs={jobs} />
      <JobsContent jobs={jobs} view={view} navigation={navigation} selected={selected} commands={commands} />
      <SelectionBar
        count={chosen.length}
        ofPage={listed.length}
        onSelectAll={() => setSelected(new Set(listed.map((job) => job.id)))}
        onClear={() => setSelected(new Set())}
        onDelete={() => setJobsToDelete(chosen)}
      />
      <Announcer text={announcement} />
      {/* Each waits for its own part: the details must not go out of sight, and lose the focus, for a preview's. */}
      <Suspense>
        {view.details && (
          <DetailsDialog
            jobId={view.details}
            listed={listed.find((job) => job.id === view.details)}
            jobs={jobs}
            onPreview={commands.preview}
            onClose={navigation.closeDetails}
          />
        )}
      </Suspense>
      <Suspense>
        {previewMedia && (
          <PreviewDialog
            media={jobs.thumbnails[previewMedia.job.id] ?? previewMedia.job.media}
            kind={previewMedia.kind}
            renewMedia={jobs.renewMedia}
            onClose={() => setPreviewMedia(null)}
          />
        )}
      </Suspense>
      <Suspense>
        {jobsToDelete.length > 0 && (
          <DeleteDialog
            jobs={jobsToDelete}
            outcomes={deletion.outcomes}
            onConfirm={confirmDeletion}
            onClose={() => setJobsToDelete([])}
            restoreFocus={focusAfterDeletion.apply}
          />
        )}
      </Suspense>
    </>
  );
}

function describeChange(job: Job): string {
  return `Job ${shortName(job.id)} is now ${statusLabel(job.status).toLowerCase()}.`;
}
