import { ImageOff } from "lucide-react";
import { useState } from "react";
import { Modal } from "@/components/ui/Modal";
import { Skeleton } from "@/components/ui/Skeleton";
import type { RenewMedia } from "@/hooks/use-jobs";
import { useMediaSource } from "@/hooks/use-media-source";
import { type JobThumbnailsResponse, shortName } from "@/lib/job";
import { inOrder, originalUrl, standInUrl, TILE_NAMES, type TileKind } from "@/lib/media";

interface Props {
  media: JobThumbnailsResponse;
  kind: TileKind;
  renewMedia: RenewMedia;
  onClose: () => void;
}

/** One medium, as large as fits in the window. Where not all browsers show it, what was made of it is shown instead. */
export default function PreviewDialog({ media, kind, renewMedia, onClose }: Props) {
  // Keeps its own URL, so that a renewal elsewhere on the page does not restart the video.
  const [shown, setShown] = useState(media);
  const original = originalUrl(shown, kind);
  const standIn = original && standInUrl(shown, kind);
  const source = useMediaSource(inOrder(standIn ?? original), async () => {
    setShown(await renewMedia(media.job_id, kind));
  });
  const name = TILE_NAMES[kind];
  const title = `${name.charAt(0).toUpperCase()}${name.slice(1)} of job ${shortName(media.job_id)}`;
  const size = "mx-auto max-h-[70vh] max-w-full rounded-lg object-contain";
  return (
    <Modal title={title} onClose={onClose} className={kind === "REF" ? "w-fit min-w-72" : "max-w-4xl"}>
      {source.broken || source.url === null ? (
        <p className="flex h-60 flex-col items-center justify-center gap-3 text-muted">
          <ImageOff aria-hidden className="size-8" />
          The {name} cannot be shown.
        </p>
      ) : kind === "REF" ? (
        // biome-ignore lint/performance/noImgElement: a signed URL cannot pass through an image optimizer
        <img
          key={source.key}
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
          src={source.url}
          aria-label={title}
          className={`${size} w-full bg-page`}
          controls
          autoPlay
          playsInline
          onLoadedData={source.onReady}
          onError={source.onError}
        />
      )}
      {standIn && original && <Original kind={kind} url={original} />}
      {!source.ready && !source.broken && <Skeleton className="mt-3 h-1 w-full" />}
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
