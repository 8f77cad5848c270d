import type { Job, JobThumbnailsResponse } from "@/lib/job";

/** URLs are asked for anew when they have less than this left, in milliseconds. */
export const RENEW_BEFORE = 5 * 60_000;

const URLS = [
  "reference_image_url",
  "motion_video_url",
  "input_video_url",
  "output_video_url",
  "reference_poster_url",
  "motion_poster_url",
  "output_poster_url",
  "motion_preview_url",
  "output_preview_url",
] as const;
type Url = (typeof URLS)[number];

/**
 * The URLs to show after an answer. One that still works for a while is kept, although a new one has come: a new
 * address would make the browser load the same picture again, in front of the user.
 */
export function keepUrls(
  shown: JobThumbnailsResponse | undefined,
  answered: JobThumbnailsResponse,
  now: number,
): JobThumbnailsResponse {
  if (!shown || renewalDue(shown, now)) return answered;
  const urls = Object.fromEntries(
    URLS.map((name) => [name, answered[name] && (shown[name] ?? answered[name])]),
  ) as Pick<JobThumbnailsResponse, Url>;
  const kept = URLS.some((name) => urls[name] && urls[name] === shown[name]);
  return { ...answered, ...urls, expires_at: kept ? shown.expires_at : answered.expires_at };
}

export function renewalDue(media: JobThumbnailsResponse, now: number): boolean {
  return Date.parse(media.expires_at) - now < RENEW_BEFORE;
}

/** When the first of the URLs has to be renewed, in milliseconds since 1970; null where there are none. */
export function renewalTime(media: JobThumbnailsResponse[]): number | null {
  const times = media
    .filter((one) => URLS.some((name) => one[name]))
    .map((one) => Date.parse(one.expires_at))
    .filter((time) => !Number.isNaN(time));
  return times.length === 0 ? null : Math.min(...times) - RENEW_BEFORE;
}

/** What a card has tiles for. */
export type TileKind = "REF" | "SRC" | "OUTPUT";

export const TILE_NAMES: Record<TileKind, string> = {
  REF: "reference image",
  SRC: "source video",
  OUTPUT: "output video",
};

/** The tiles of a job: an output only once it is completed. */
export function tileKinds(job: Job): TileKind[] {
  return job.status === "completed" ? ["REF", "SRC", "OUTPUT"] : ["REF", "SRC"];
}

interface Names {
  original: Url;
  poster?: Url;
  preview?: Url;
}

/** What the tile is about. A job that works on an earlier output has no motion video. */
function namesOf(media: JobThumbnailsResponse, kind: TileKind): Names {
  if (kind === "REF") return { original: "reference_image_url", poster: "reference_poster_url" };
  if (kind === "OUTPUT")
    return { original: "output_video_url", poster: "output_poster_url", preview: "output_preview_url" };
  const original = media.motion_video_url ? "motion_video_url" : "input_video_url";
  return { original, poster: "motion_poster_url", preview: "motion_preview_url" };
}

/** The medium itself: what a preview opens. */
export function originalUrl(media: JobThumbnailsResponse, kind: TileKind): string | null {
  return media[namesOf(media, kind).original] ?? null;
}

/** What a tile shows of a medium. The smaller ones are null where there are none. */
export interface TileMedia {
  original: string | null;
  poster: string | null;
  preview: string | null;
}

export function tileMedia(media: JobThumbnailsResponse, kind: TileKind): TileMedia {
  const names = namesOf(media, kind);
  const original = originalUrl(media, kind);
  // Without the medium, nothing of it is shown.
  const url = (name: Url | undefined) => (original && name && media[name]) || null;
  return { original, poster: url(names.poster), preview: url(names.preview) };
}

/** What is shown, but with the answer's URLs for the tile: those that were shown for it do not work. */
export function withRenewed(
  shown: JobThumbnailsResponse,
  answered: JobThumbnailsResponse,
  kind: TileKind,
): JobThumbnailsResponse {
  const names = Object.values(namesOf(answered, kind)) as Url[];
  return { ...shown, ...Object.fromEntries(names.map((name) => [name, answered[name]])) };
}

/** The URLs that are tried one after the other, until one works. */
export function inOrder(...urls: (string | null)[]): string[] {
  return urls.filter((url) => url !== null);
}

/** What is shown stays, although an earlier URL may have come: nothing need be loaded twice. The last is tried again. */
export function urlToShow(urls: string[], shown: string | undefined, failed: string[]): string | null {
  const next = urls.find((url) => url === shown) ?? urls.find((url) => !failed.includes(url));
  return next ?? urls.at(-1) ?? null;
}
