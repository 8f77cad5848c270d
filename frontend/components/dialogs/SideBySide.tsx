import { Pause, Play } from "lucide-react";
import { Medium, StandInNote, type VideoProps } from "@/components/dialogs/Medium";
import { Button } from "@/components/ui/Button";
import { useInStep } from "@/hooks/use-in-step";
import type { RenewMedia } from "@/hooks/use-jobs";
import { type Preview, usePreview } from "@/hooks/use-preview";
import { formatTime } from "@/lib/in-step";
import type { Job } from "@/lib/job";
import { TILE_NAMES } from "@/lib/media";
import { titleOfScene } from "@/lib/tour";

/** A job's media beside each other; on a phone, below each other. The two videos play in step. */
export function SideBySide({ job, renewMedia }: { job: Job; renewMedia: RenewMedia }) {
  const reference = usePreview(job.media, "REF", renewMedia);
  const source = usePreview(job.media, "SRC", renewMedia);
  const output = usePreview(job.media, "OUTPUT", renewMedia);
  const reel = useInStep({ SRC: source.source.broken, OUTPUT: output.source.broken });
  const columns = reference.original ? "sm:grid-cols-3" : "sm:grid-cols-2";
  return (
    <>
      <div className={`grid gap-3 ${columns}`}>
        {reference.original && <Panel job={job} preview={reference} video={{}} />}
        <Panel job={job} preview={source} video={reel.SRC} />
        <Panel job={job} preview={output} video={reel.OUTPUT} />
      </div>
      <Controls reel={reel} />
    </>
  );
}

function Panel({ job, preview, video }: { job: Job; preview: Preview; video: VideoProps }) {
  const { kind } = preview;
  return (
    <figure className="min-w-0">
      <figcaption className="mb-1.5 text-muted text-sm first-letter:uppercase">{TILE_NAMES[kind]}</figcaption>
      <Medium
        preview={preview}
        title={titleOfScene(job, kind)}
        video={video}
        className="short:h-[60vh]! h-[30vh] sm:h-[min(60vh,calc(100dvh-22rem))] sm:max-h-[45vw] sm:min-h-40"
      />
      <StandInNote preview={preview} />
    </figure>
  );
}

/** They stay in sight where the media are below each other. */
function Controls({ reel }: { reel: ReturnType<typeof useInStep> }) {
  const { playing, time, length, seek, toggle } = reel;
  const known = Number.isFinite(length);
  const said = known ? `${formatTime(time)} of ${formatTime(length)}` : formatTime(time);
  return (
    <div className="-bottom-4 sticky mt-3 flex items-center gap-3 bg-surface py-1.5 sm:static">
      <Button onClick={toggle} aria-label={playing ? "Pause" : "Play"} className="w-11 sm:w-10">
        {playing ? (
          <Pause aria-hidden className="size-4 shrink-0" />
        ) : (
          <Play aria-hidden className="size-4 shrink-0" />
        )}
      </Button>
      <input
        type="range"
        aria-label="Position in the videos"
        aria-valuetext={said}
        min={0}
        max={known ? length : 0}
        step={0.1}
        value={time}
        onChange={(event) => seek(event.target.valueAsNumber)}
        className="h-11 min-w-0 flex-1 cursor-pointer accent-accent sm:h-10"
      />
      <span aria-hidden className="text-muted text-sm tabular-nums">
        {said}
      </span>
    </div>
  );
}
