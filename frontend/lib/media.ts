import type { Job, JobThumbnailsResponse } from "@/lib/job";

/** URLs are asked for anew when they have less than this left, in milliseconds. */
export const RENEW_BEFORE = 5 * 60_000;

type Medium = "reference_image_url" | "motion_video_url" | "input_video_url" | "output_video_url";
const MEDIA: Medium[] = ["reference_image_url", "motion_video_url", "input_video_url", "output_video_url"];

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
    MEDIA.map((medium) => [medium, answered[medium] && (shown[medium] ?? answered[medium])]),
  ) as Pick<JobThumbnailsResponse, Medium>;
  const kept = MEDIA.some((medium) => urls[medium] !== null && urls[medium] === shown[medium]);
  return { ...answered, ...urls, expires_at: kept ? shown.expires_at : answered.expires_at };
}

export function renewalDue(media: JobThumbnailsResponse, now: number): boolean {
  return Date.parse(media.expires_at) - now < RENEW_BEFORE;
}

/** When the first of the URLs has to be renewed, in milliseconds since 1970; null where there are none. */
export function renewalTime(media: JobThumbnailsResponse[]): number | null {
  const times = media
    .filter((one) => MEDIA.some((medium) => one[medium]))
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

/** Which of the job's media the tile shows. A job that works on an earlier output has no motion video. */
export function mediumOf(media: JobThumbnailsResponse, kind: TileKind): Medium {
  if (kind === "REF") return "reference_image_url";
  if (kind === "OUTPUT") return "output_video_url";
  return media.motion_video_url ? "motion_video_url" : "input_video_url";
}

export function tileUrl(media: JobThumbnailsResponse, kind: TileKind): string | null {
  return media[mediumOf(media, kind)];
}
