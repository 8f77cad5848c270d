import type { JobThumbnailsResponse, Medium } from "@/lib/job";
import { namesOf, type TileKind } from "@/lib/media";

/**
 * Returns the URL that a preview opens instead of a medium that not all browsers show or play: the view of an image,
 * the preview of a video. Null if the medium itself is to be opened, or if there is nothing else to open.
 */
export function standInUrl(media: JobThumbnailsResponse, kind: TileKind): string | null {
  const { original, view, preview } = namesOf(media, kind);
  const medium = original.slice(0, -"_url".length) as Medium;
  const name = view ?? preview;
  return (media.playable[medium] === false && name && media[name]) || null;
}
