import type { Job, JobThumbnailsResponse, Medium } from "@/lib/job";

/** URLs are renewed this long before they expire, in milliseconds. */
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
  "reference_view_url",
  "output_storyboard_url",
] as const;
type Url = (typeof URLS)[number];

/**
 * Returns the URLs to show after a response. A URL that still works for a while is kept even if there is a newer one:
 * a new address would make the browser load the same picture again, in front of the user. One of another object is not kept.
 */
export function keepUrls(
  shown: JobThumbnailsResponse | undefined,
  answered: JobThumbnailsResponse,
  now: number,
): JobThumbnailsResponse {
  if (!shown || renewalDue(shown, now)) return answered;
  const urls = Object.fromEntries(
    URLS.map((name) => [
      name,
      objectOf(shown[name]) === objectOf(answered[name]) ? shown[name] : answered[name],
    ]),
  ) as Pick<JobThumbnailsResponse, Url>;
  const kept = URLS.some((name) => urls[name] && urls[name] === shown[name]);
  return { ...answered, ...urls, expires_at: kept ? shown.expires_at : answered.expires_at };
}

/** Returns what a signed URL leads to: all of it but the signature. */
function objectOf(url: string | null | undefined): string | undefined {
  return url?.split("?", 1)[0];
}

function renewalDue(media: JobThumbnailsResponse, now: number): boolean {
  return Date.parse(media.expires_at) - now <= RENEW_BEFORE;
}

/**
 * Whether new URLs can help a medium that fails, after they were renewed at that time. URLs last for longer than this, so it
 * is the medium that is damaged.
 */
export function renewalCanHelp(renewedAt: number | null, now: number): boolean {
  return renewedAt === null || Math.abs(now - renewedAt) >= RENEW_BEFORE;
}

/** Returns when the first URL has to be renewed, in milliseconds since 1970, or null if there are no URLs. */
export function renewalTime(media: JobThumbnailsResponse[]): number | null {
  const times = media
    .filter((one) => URLS.some((name) => one[name]))
    .map((one) => Date.parse(one.expires_at))
    .filter((time) => !Number.isNaN(time));
  return times.length === 0 ? null : Math.min(...times) - RENEW_BEFORE;
}

/** The kinds of tile on a card. */
export type TileKind = "REF" | "SRC" | "OUTPUT";

export const TILE_NAMES: Record<TileKind, string> = {
  REF: "reference image",
  SRC: "source video",
  OUTPUT: "output video",
};

/** Returns the kinds of tile for a job. Only a completed job has an output. */
export function tileKinds(job: Job): TileKind[] {
  return job.status === "completed" ? ["REF", "SRC", "OUTPUT"] : ["REF", "SRC"];
}

interface Names {
  original: `${Medium}_url`;
  poster?: Url;
  preview?: Url;
  view?: Url;
  storyboard?: Url;
}

/** Returns the URL fields behind a tile. A job that works on an earlier output has no motion video. */
export function namesOf(media: JobThumbnailsResponse, kind: TileKind): Names {
  if (kind === "REF")
    return { original: "reference_image_url", poster: "reference_poster_url", view: "reference_view_url" };
  if (kind === "OUTPUT")
    return {
      original: "output_video_url",
      poster: "output_poster_url",
      preview: "output_preview_url",
      storyboard: "output_storyboard_url",
    };
  const original = media.motion_video_url ? "motion_video_url" : "input_video_url";
  return { original, poster: "motion_poster_url", preview: "motion_preview_url" };
}

/** Returns the URL of the medium itself, which a preview opens. */
export function originalUrl(media: JobThumbnailsResponse, kind: TileKind): string | null {
  return media[namesOf(media, kind).original] ?? null;
}

/** The URLs that a tile can show; each is null if there is none. */
export interface TileMedia {
  original: string | null;
  poster: string | null;
  preview: string | null;
  storyboard: string | null;
}

export function tileMedia(media: JobThumbnailsResponse, kind: TileKind): TileMedia {
  const names = namesOf(media, kind);
  const original = originalUrl(media, kind);
  // If the medium is missing, its poster and preview are not shown either.
  const url = (name: Url | undefined) => (original && name && media[name]) || null;
  return {
    original,
    poster: url(names.poster),
    preview: url(names.preview),
    storyboard: url(names.storyboard),
  };
}

/** Returns the shown URLs with this tile's replaced from the response, because the old ones do not work. */
export function withRenewed(
  shown: JobThumbnailsResponse,
  answered: JobThumbnailsResponse,
  kind: TileKind,
): JobThumbnailsResponse {
  const names = Object.values(namesOf(answered, kind)) as Url[];
  return { ...shown, ...Object.fromEntries(names.map((name) => [name, answered[name]])) };
}

/**
 * Waits for a load that may be under way. Returns what is shown then if this tile's medium has another URL than the tile
 * has `drawn`, else null.
 */
export async function broughtBy(
  load: Promise<unknown> | undefined,
  kind: TileKind,
  drawn: JobThumbnailsResponse | undefined,
  shown: () => JobThumbnailsResponse | undefined,
): Promise<JobThumbnailsResponse | null> {
  await load?.catch(() => undefined);
  const now = shown();
  return drawn && now && originalUrl(drawn, kind) !== originalUrl(now, kind) ? now : null;
}

/** Returns the URLs to try, in order, until one works. */
export function inOrder(...urls: (string | null)[]): string[] {
  return urls.filter((url) => url !== null);
}

/**
 * Returns the URL to show. The one already shown stays even if an earlier one has become available, so that nothing
 * is loaded twice. If all have failed, the last is tried again.
 */
export function urlToShow(urls: string[], shown: string | undefined, failed: string[]): string | null {
  const next = urls.find((url) => url === shown) ?? urls.find((url) => !failed.includes(url));
  return next ?? urls.at(-1) ?? null;
}
