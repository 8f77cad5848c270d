import { useState } from "react";
import type { RenewMedia } from "@/hooks/use-jobs";
import { useMediaSource } from "@/hooks/use-media-source";
import type { JobThumbnailsResponse } from "@/lib/job";
import { inOrder, originalUrl, type TileKind, tileMedia } from "@/lib/media";
import { standInUrl } from "@/lib/stand-in";

/** Loads one medium of a job in full or, where not all browsers show it, what was made of it. */
export function usePreview(media: JobThumbnailsResponse, kind: TileKind, renewMedia: RenewMedia) {
  // Keeps its own URLs, so that a renewal elsewhere on the page does not restart the video.
  const [shown, setShown] = useState(media);
  const [poster] = useState(tileMedia(media, kind).poster);
  const original = originalUrl(shown, kind);
  const standIn = original && standInUrl(shown, kind);
  const source = useMediaSource(inOrder(standIn ?? original), async () => {
    setShown(await renewMedia(media.job_id, kind));
  });
  return { kind, source, poster, original, standIn };
}

export type Preview = ReturnType<typeof usePreview>;
