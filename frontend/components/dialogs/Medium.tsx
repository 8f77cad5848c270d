import { ImageOff } from "lucide-react";
import type { ComponentProps, RefObject } from "react";
import type { Preview } from "@/hooks/use-preview";
import { whenLoaded } from "@/lib/loaded";
import { TILE_NAMES } from "@/lib/media";
import { releasedOnLeave } from "@/lib/release";

export interface VideoProps extends Omit<ComponentProps<"video">, "ref"> {
  element?: RefObject<HTMLVideoElement | null>;
}

interface Props {
  preview: Preview;
  /** What a screen reader calls it. */
  title: string;
  video: VideoProps;
  className: string;
}

/** A medium in a place that has the same size before and after it is loaded. */
export function Medium({ preview, title, video, className }: Props) {
  const { kind, source, poster, original, standIn } = preview;
  const { element: videoElement, ...videoProps } = video;
  const size = "relative size-full object-contain";
  return (
    <div
      className={`relative overflow-hidden rounded-lg bg-page ${className}`}
      aria-busy={!source.ready && !source.broken}
    >
      {source.broken || source.url === null ? (
        <p className="flex h-full flex-col items-center justify-center gap-3 p-3 text-center text-muted">
          <ImageOff aria-hidden className="size-8" />
          The {TILE_NAMES[kind]} cannot be shown.
          {original && !standIn && (
            <OriginalLink url={original} text="You can try to download the original" />
          )}
        </p>
      ) : (
        <>
          {poster && !source.ready && (
            // biome-ignore lint/performance/noImgElement: a signed URL cannot pass through an image optimizer
            <img src={poster} alt="" className="absolute inset-0 size-full object-contain" />
          )}
          {kind === "REF" ? (
            // biome-ignore lint/performance/noImgElement: see above
            <img
              key={source.key}
              ref={releasedOnLeave}
              src={source.url}
              alt={title}
              className={size}
              onLoad={source.onReady}
              onError={source.onError}
            />
          ) : (
            <video
              key={source.key}
              {...videoProps}
              ref={(element) => {
                if (videoElement) videoElement.current = element;
                return releasedOnLeave(element);
              }}
              src={source.url}
              aria-label={title}
              className={size}
              playsInline
              {...whenLoaded(source)}
            />
          )}
        </>
      )}
    </div>
  );
}

/** Says that a stand-in is shown, and where the original is. Null if the original is shown. */
export function StandInNote({ preview: { kind, standIn, original } }: { preview: Preview }) {
  if (!standIn || !original) return null;
  return (
    <p className="mt-3 text-muted text-sm">
      {kind === "REF"
        ? "Not every browser shows this kind of image, so this is a smaller copy. "
        : "Not every browser plays this kind of video, so these are its first seconds. "}
      <OriginalLink url={original} text="Download the original" />
    </p>
  );
}

function OriginalLink({ url, text }: { url: string; text: string }) {
  return (
    <a className="text-accent underline" href={url} download target="_blank" rel="noreferrer">
      {text}
    </a>
  );
}
