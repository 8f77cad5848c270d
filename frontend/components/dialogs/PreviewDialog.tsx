import { ChevronDown, ChevronLeft, ChevronRight, ChevronUp } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { Medium, StandInNote } from "@/components/dialogs/Medium";
import { SideBySide } from "@/components/dialogs/SideBySide";
import { JobActions } from "@/components/JobActions";
import { Button } from "@/components/ui/Button";
import { Modal } from "@/components/ui/Modal";
import type { Jobs, RenewMedia } from "@/hooks/use-jobs";
import { usePreview } from "@/hooks/use-preview";
import { useSwipe } from "@/hooks/use-swipe";
import { cardId } from "@/lib/focus";
import { LOOPED } from "@/lib/in-step";
import type { Job } from "@/lib/job";
import { TILE_NAMES, type TileKind } from "@/lib/media";
import { keptPlace } from "@/lib/place";
import {
  afterDeletion,
  nextJob,
  nextMedium,
  type Scene,
  type Step,
  type Stop,
  scenesOf,
  titleOfScene,
} from "@/lib/tour";

interface Props {
  jobs: Jobs;
  stop: Stop;
  /** Whether it is above the job's details. It shows that job only then. */
  overDetails: boolean;
  onMove: (stop: Stop) => void;
  onDetails: (job: Job) => void;
  /** `next` is what to look at after the deletion; null for nothing. */
  onDelete: (job: Job, next: Stop | null) => void;
  onClose: () => void;
}

/** One medium, or a job's media side by side, as large as fits in the window, and the way to the others. */
export default function PreviewDialog({ jobs, stop: given, overDetails, ...on }: Props) {
  const listed = overDetails ? [] : (jobs.list?.jobs ?? []);
  const current = listed.find(({ id }) => id === given.job.id);
  const { job: open } = jobs.details;
  const known = overDetails && open?.id === given.job.id ? open : given.job;
  const job = current ?? { ...known, media: jobs.thumbnails[known.id] ?? known.media };
  const all = current ? listed : [job];
  const stop = { job, scene: given.scene };
  const [opened] = useState(given);
  const title = titleOfScene(job, stop.scene);

  const ways = [
    { Icon: ChevronLeft, key: "ArrowLeft", name: "Previous medium", to: nextMedium(all, stop, -1) },
    { Icon: ChevronRight, key: "ArrowRight", name: "Next medium", to: nextMedium(all, stop, 1) },
    { Icon: ChevronUp, key: "ArrowUp", name: "Previous job", to: nextJob(all, stop, -1) },
    { Icon: ChevronDown, key: "ArrowDown", name: "Next job", to: nextJob(all, stop, 1) },
  ];
  const swipe = useSwipe((step: Step) => {
    const to = nextMedium(all, stop, step);
    if (to) on.onMove(to);
  });
  const press = (event: KeyboardEvent) => {
    const way = ways.find(({ key }) => key === event.key);
    if (!way || hasOwnUse(event)) return;
    event.preventDefault();
    if (way.to) on.onMove(way.to);
  };
  return (
    <Modal
      title={title}
      onClose={on.onClose}
      className={stop.scene === "ALL" ? "max-w-[110rem]" : "max-w-4xl"}
      about={overDetails ? undefined : cardId(job.id)}
      onKeyDown={press}
    >
      <div className="touch-pan-y touch-pinch-zoom" {...swipe}>
        {stop.scene === "ALL" ? (
          <SideBySide key={job.id} job={job} renewMedia={jobs.renewMedia} />
        ) : (
          <Alone key={`${job.id} ${stop.scene}`} job={job} kind={stop.scene} renewMedia={jobs.renewMedia} />
        )}
      </div>
      <div className="mt-3 flex flex-wrap items-center justify-between gap-2">
        <Scenes stop={stop} onChoose={(scene) => on.onMove({ job, scene })} />
        <div className="flex gap-2">
          {ways.map(({ Icon, key, name, to }) => (
            <Button
              key={key}
              onClick={() => to && on.onMove(to)}
              busy={to === null}
              aria-label={name}
              aria-keyshortcuts={key}
              title={name}
              className="w-11 sm:w-10"
            >
              <Icon aria-hidden className="size-4 shrink-0" />
            </Button>
          ))}
        </div>
      </div>
      <JobActions
        job={job}
        className="mt-3 border-line border-t pt-3"
        {...(!overDetails && {
          onDetails: () => on.onDetails(job),
          onDelete: () => on.onDelete(job, afterDeletion(all, stop)),
        })}
      />
      {/* A dialog's title is only said when the dialog opens. */}
      <p role="status" className="sr-only">
        {given === opened ? "" : title}
      </p>
    </Modal>
  );
}

/** Whether the arrow keys belong to what has the focus, such as a video's controls, or scroll a dialog that is too high. */
function hasOwnUse({ key, target, currentTarget, ...event }: KeyboardEvent): boolean {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return true;
  if (target instanceof Element && target.closest("video, input")) return true;
  return /Up|Down/.test(key) && currentTarget.scrollHeight > currentTarget.clientHeight;
}

interface AloneProps {
  job: Job;
  kind: TileKind;
  renewMedia: RenewMedia;
}

function Alone({ job, kind, renewMedia }: AloneProps) {
  const preview = usePreview(job.media, kind, renewMedia);
  const [{ goOn, noteTime, notePaused }] = useState(keptPlace);
  return (
    <>
      <Medium
        preview={preview}
        title={titleOfScene(job, kind)}
        className="short:h-[70vh]! h-[min(70vh,calc(100dvh-24rem))] min-h-40 sm:h-[min(70vh,calc(100dvh-16rem))]"
        video={{
          controls: true,
          autoPlay: true,
          onLoadedMetadata: ({ currentTarget: video }) => {
            video.loop = video.duration <= LOOPED;
            goOn(video);
          },
          onTimeUpdate: noteTime,
          onSeeking: noteTime,
          onPlay: notePaused,
          onPause: notePaused,
        }}
      />
      <StandInNote preview={preview} />
    </>
  );
}

function Scenes({ stop, onChoose }: { stop: Stop; onChoose: (scene: Scene) => void }) {
  return (
    <ul aria-label="What to show" className="flex flex-wrap gap-1 sm:gap-1.5">
      {scenesOf(stop.job).map((scene) => (
        <li key={scene}>
          <button
            type="button"
            aria-pressed={scene === stop.scene}
            aria-label={scene === "ALL" ? undefined : `${scene} – ${TILE_NAMES[scene]}`}
            onClick={() => onChoose(scene)}
            className="chip px-2.5 sm:px-3"
          >
            {scene === "ALL" ? "Side by side" : scene}
          </button>
        </li>
      ))}
    </ul>
  );
}
