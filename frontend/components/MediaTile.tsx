import { ImageOff, Play } from "lucide-react";
import { useEffect, useState } from "react";
import { Clip } from "@/components/Clip";
import { Skeleton } from "@/components/ui/Skeleton";
import { useInView } from "@/hooks/use-in-view";
import { useMediaSource } from "@/hooks/use-media-source";
import { inOrder, TILE_NAMES, type TileKind, type TileMedia } from "@/lib/media";

const FRAME = "relative block overflow-hidden rounded-xl border bg-page";
const BROKEN = "grid! place-items-center text-muted";

interface Props {
  kind: TileKind;
  /** The job's short name, for the accessible label. */
  jobName: string;
  media: TileMedia;
  onOpen: () => void;
  renew: () => Promise<unknown>;
  size?: string;
}

/**
 * One medium of a job, 144 pixels square or of another `size`. A video plays while it is pointed at, focused or touched. If it has a poster,
 * no part of the video is loaded before that.
 */
export function MediaTile({ kind, jobName, media, onOpen, renew, size = "size-36 shrink-0" }: Props) {
  const { original, poster, preview, storyboard } = media;
  const [frame, seen] = useInView();
  const still = useMediaSource(inOrder(poster, preview, original), renew);
  const moving = useMediaSource(inOrder(preview, original), renew);
  const [playing, triggers] = usePlayback();
  const [place, scrubbing] = useScrubbing();
  const url = still.broken ? null : still.url;
  const frameLook = `${FRAME} ${size} ${kind === "OUTPUT" ? "border-accent" : "border-line"} ${url === null ? BROKEN : ""}`;
  if (url === null && !original)
    return (
      <div className={frameLook}>
        <NotAvailable kind={kind} />
      </div>
    );

  const isVideo = kind !== "REF";
  const isPicture = !isVideo || url === poster;
  const look = `size-full object-cover ${still.ready ? "" : "opacity-0"}`;
  // Also a broken medium leads to the preview, where the original can be downloaded. The button stays, with the focus.
  return (
    <button
      ref={frame}
      type="button"
      onClick={onOpen}
      aria-label={`Preview the ${TILE_NAMES[kind]} of job ${jobName} – ${kind}${url === null ? ": Not available" : ""}`}
      className={`${frameLook} group touch-manipulation select-none [-webkit-touch-callout:none] hover:border-accent`}
      onContextMenu={(event) => isTouch(event) && event.preventDefault()}
      {...(isVideo && triggers)}
      {...(storyboard && scrubbing)}
    >
      {url === null ? (
        <NotAvailable kind={kind} />
      ) : (
        <>
          {!still.ready && <Skeleton pulses={seen} className="absolute inset-0 rounded-none" />}
          {seen && isPicture && (
            // biome-ignore lint/performance/noImgElement: a signed URL cannot pass through an image optimizer
            <img
              key={still.key}
              src={url}
              alt=""
              className={`pointer-events-none ${look}`}
              onLoad={still.onReady}
              onError={still.onError}
            />
          )}
          {seen && !isPicture && <Clip source={still} playing={playing} className={look} />}
          {isVideo && isPicture && playing && !moving.broken && (
            <Clip source={moving} playing className="absolute inset-0 size-full object-cover" />
          )}
          {storyboard && place !== null && <StoryboardPart url={storyboard} place={place} />}
          <TileLabel kind={kind} />
          {isVideo && still.ready && (
            <span
              aria-hidden
              className="absolute right-1.5 bottom-1.5 grid size-6 place-items-center rounded-full bg-page/80 text-ink group-hover:opacity-0 group-focus-visible:opacity-0"
            >
              <Play className="size-3 fill-current" />
            </span>
          )}
        </>
      )}
    </button>
  );
}

/** A long press plays the video. The menu that it would open belongs to a mouse or a key. */
function isTouch({ nativeEvent }: React.MouseEvent): boolean {
  return "pointerType" in nativeEvent && nativeEvent.pointerType === "touch";
}

const PARTS = 16;
const COLUMNS = 4;
/** How long the part that was pointed at stays before the video plays again, in milliseconds. */
const STAYS = 700;

/** One part of the storyboard. The whole is loaded once, when it is first pointed at. */
function StoryboardPart({ url, place }: { url: string; place: number }) {
  const column = place % COLUMNS;
  const row = Math.floor(place / COLUMNS);
  return (
    // biome-ignore lint/performance/noImgElement: a signed URL cannot pass through an image optimizer
    <img
      src={url}
      alt=""
      className="absolute size-[400%] max-w-none"
      style={{ left: `${-100 * column}%`, top: `${-100 * row}%` }}
    />
  );
}

/** Returns which part of the storyboard to show while the pointer moves along the tile, and the event handlers. */
function useScrubbing() {
  const [place, setPlace] = useState<number | null>(null);
  useEffect(() => {
    if (place === null) return;
    const timer = setTimeout(() => setPlace(null), STAYS);
    return () => clearTimeout(timer);
  }, [place]);
  const handlers = {
    onPointerMove: (event: React.PointerEvent) => {
      const { left, width } = event.currentTarget.getBoundingClientRect();
      setPlace(Math.min(PARTS - 1, Math.max(0, Math.floor((PARTS * (event.clientX - left)) / width))));
    },
    onPointerOut: () => setPlace(null),
  };
  return [place, handlers] as const;
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

function NotAvailable({ kind }: { kind: TileKind }) {
  return (
    <>
      <TileLabel kind={kind} />
      <span className="flex flex-col items-center gap-1.5 text-xs">
        <ImageOff aria-hidden className="size-6" />
        <span className="sr-only">The {TILE_NAMES[kind]} is </span>Not available
      </span>
    </>
  );
}

MediaTile.Skeleton = function MediaTileSkeleton() {
  return <Skeleton className="size-36 shrink-0 rounded-xl" />;
};

/** Returns whether to play, and the event handlers that decide it: pointing, keyboard focus and touch. */
function usePlayback() {
  const [playing, setPlaying] = useState(false);
  const play = () => setPlaying(!window.matchMedia("(prefers-reduced-motion: reduce)").matches);
  const stop = () => setPlaying(false);
  const triggers = {
    onPointerEnter: play,
    onPointerDown: play,
    onPointerLeave: stop,
    onPointerCancel: stop,
    // Not at each focus: it also returns from a preview that Escape has closed.
    onKeyUp: (event: React.KeyboardEvent) => event.key === "Tab" && play(),
    onBlur: stop,
  };
  return [playing, triggers] as const;
}
