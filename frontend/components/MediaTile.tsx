import { ImageOff, Play } from "lucide-react";
import { useRef } from "react";
import { Skeleton } from "@/components/Skeleton";
import { useInView } from "@/hooks/use-in-view";
import { useMediaSource } from "@/hooks/use-media-source";
import { TILE_NAMES, type TileKind } from "@/lib/media";

const FRAME = "relative block size-36 shrink-0 overflow-hidden rounded-xl border bg-page";

interface Props {
  kind: TileKind;
  /** What the job is called, for those who do not see the card around the tile. */
  jobName: string;
  url: string | null;
  onOpen: () => void;
  renew: () => Promise<unknown>;
}

/** One medium of a job, 144 pixels square. A video plays while somebody points at it, focuses or touches it. */
export function MediaTile({ kind, jobName, url, onOpen, renew }: Props) {
  const [frame, seen] = useInView();
  const source = useMediaSource(url, renew);
  const player = useHoverPlayback();
  const border = kind === "OUTPUT" ? "border-accent" : "border-line";
  if (source.broken) return <BrokenTile kind={kind} border={border} />;

  const isVideo = kind !== "REF";
  const media = `size-full object-cover transition-opacity ${source.ready ? "" : "opacity-0"}`;
  return (
    <button
      ref={frame}
      type="button"
      onClick={onOpen}
      aria-label={`Preview the ${TILE_NAMES[kind]} of job ${jobName} – ${kind}`}
      className={`${FRAME} ${border} group touch-manipulation select-none hover:border-accent`}
      {...(isVideo && player.triggers)}
    >
      {!source.ready && <Skeleton className="absolute inset-0 rounded-none" />}
      {seen && url && !isVideo && (
        // biome-ignore lint/performance/noImgElement: a signed URL cannot pass through an image optimizer
        <img
          key={source.key}
          src={url}
          alt=""
          className={media}
          onLoad={source.onReady}
          onError={source.onError}
        />
      )}
      {seen && url && isVideo && (
        <video
          key={source.key}
          ref={player.video}
          // The fragment makes Safari show the first frame: https://www.w3.org/TR/media-frags/#naming-time
          src={`${url}#t=0.001`}
          preload="metadata"
          muted
          loop
          playsInline
          disablePictureInPicture
          aria-hidden
          tabIndex={-1}
          className={`pointer-events-none ${media}`}
          onLoadedData={source.onReady}
          onError={source.onError}
        />
      )}
      <TileLabel kind={kind} />
      {isVideo && source.ready && (
        <span
          aria-hidden
          className="absolute right-1.5 bottom-1.5 grid size-6 place-items-center rounded-full bg-page/80 text-ink group-hover:opacity-0 group-focus-visible:opacity-0"
        >
          <Play className="size-3 fill-current" />
        </span>
      )}
    </button>
  );
}

function TileLabel({ kind }: { kind: TileKind }) {
  const colour = kind === "OUTPUT" ? "bg-accent text-page" : "bg-page/80 text-ink";
  return (
    <span
      aria-hidden
      className={`absolute top-1.5 left-1.5 rounded px-1.5 py-0.5 font-semibold text-[0.6875rem] tracking-wide ${colour}`}
    >
      {kind}
    </span>
  );
}

function BrokenTile({ kind, border }: { kind: TileKind; border: string }) {
  return (
    <div className={`${FRAME} ${border} grid! place-items-center text-muted`}>
      <TileLabel kind={kind} />
      <span className="flex flex-col items-center gap-1.5 text-xs">
        <ImageOff aria-hidden className="size-6" />
        <span className="sr-only">The {TILE_NAMES[kind]} is </span>Not available
      </span>
    </div>
  );
}

MediaTile.Skeleton = function MediaTileSkeleton() {
  return <Skeleton className="size-36 shrink-0 rounded-xl" />;
};

/** Event handlers that play the video muted while it is pointed at, focused by keyboard or touched. */
function useHoverPlayback() {
  const video = useRef<HTMLVideoElement>(null);
  const play = () => {
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    // Leaving before it has begun breaks the promise: that is no error.
    video.current?.play().catch(() => undefined);
  };
  const stop = () => {
    if (!video.current) return;
    video.current.pause();
    video.current.currentTime = 0;
  };
  return {
    video,
    triggers: {
      onPointerEnter: play,
      onPointerDown: play,
      onPointerLeave: stop,
      onPointerCancel: stop,
      onFocus: (event: React.FocusEvent) => event.target.matches(":focus-visible") && play(),
      onBlur: stop,
    },
  };
}
