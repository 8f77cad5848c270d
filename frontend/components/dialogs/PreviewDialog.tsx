import { ImageOff } from "lucide-react";
import { useState } from "react";
import { Modal } from "@/components/ui/Modal";
import type { RenewMedia } from "@/hooks/use-jobs";
import { useMediaSource } from "@/hooks/use-media-source";
import { type JobThumbnailsResponse, shortName } from "@/lib/job";
import { inOrder, originalUrl, standInUrl, TILE_NAMES, type TileKind, tileMedia } from "@/lib/media";
import { releasedOnLeave } from "@/lib/release";

/** A video up to this long, in seconds, starts again at its end: it is over before one has looked. */
const LOOPED = 5;

interface Props {
  media: JobThumbnailsResponse;
  kind: TileKind;
  renewMedia: RenewMedia;
  onClose: () => void;
}

/**
 * One medium, as large as fits in the window. Its place has the same size before and after the medium is loaded. Where
 * not all browsers show it, what was made of it is shown instead.
 */
export default function PreviewDialog({ media, kind, renewMedia, onClose }: Props) {
  // Keeps its own URLs, so that a renewal elsewhere on the page does not restart the video.
  const [shown, setShown] = useState(media);
  const [poster] = useState(tileMedia(media, kind).poster);
  const original = originalUrl(shown, kind);
  const standIn = original && standInUrl(shown, kind);
  const source = useMediaSource(inOrder(standIn ?? original), async () => {
    setShown(await renewMedia(media.job_id, kind));
  });
  const name = TILE_NAMES[kind];
  const title = `${name.charAt(0).toUpperCase()}${name.slice(1)} of job ${shortName(media.job_id)}`;
  const size = "relative size-full object-contain";
  return (
    <Modal title={title} onClose={onClose} className="max-w-4xl">
      <div
        className="relative h-[70vh] overflow-hidden rounded-lg bg-page"
        aria-busy={!source.ready && !source.broken}
      >
        {source.broken || source.url === null ? (
          <p className="flex h-full flex-col items-center justify-center gap-3 text-muted">
            <ImageOff aria-hidden className="size-8" />
            The {name} cannot be shown.
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
              // biome-ignore lint/a11y/useMediaCaption: these videos are made without speech to caption
              <video
                key={source.key}
                ref={releasedOnLeave}
                src={source.url}
                aria-label={title}
                className={size}
                controls
                autoPlay
                playsInline
                onLoadedMetadata={({ currentTarget }) => {
                  currentTarget.loop = currentTarget.duration <= LOOPED;
                }}
                onLoadedData={source.onReady}
                onError={source.onError}
              />
            )}
          </>
        )}
      </div>
      {standIn && original && <Original kind={kind} url={original} />}
    </Modal>
  );
}

function Original({ kind, url }: { kind: TileKind; url: string }) {
  return (
    <p className="mt-3 text-muted text-sm">
      {kind === "REF"
        ? "Not every browser shows this kind of image, so this is a smaller copy. "
        : "Not every browser plays this kind of video, so these are its first seconds. "}
      <a className="text-accent underline" href={url} download target="_blank" rel="noreferrer">
        Download the original
      </a>
    </p>
  );
}
