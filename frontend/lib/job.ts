/** The functions' responses: the fields that the page reads. */

import { serverNow } from "@/lib/server-time";
import { DAY, parseTime } from "@/lib/time";

export const STATUSES = ["pending", "queued", "processing", "completed", "failed"] as const;
export type JobStatus = (typeof STATUSES)[number];

/** Jobs are filtered and counted by status; "other" stands for every status not in STATUSES. */
export const GROUPS = [...STATUSES, "other"] as const;
export type Group = (typeof GROUPS)[number];

/** A job with one of these statuses is finished. With any other, including one added later, it is under way. */
const FINAL: readonly (string | null)[] = ["completed", "failed"] satisfies JobStatus[];

export type Medium = "reference_image" | "motion_video" | "input_video" | "output_video";

/**
 * Signed URLs, valid until `expires_at`; null if the job has no such medium. A poster is a small picture of a medium
 * and a preview is a few seconds of a video. A view is an image that browsers do not show, as one that they do. A
 * storyboard is a video's course in pictures. All are null until they have been made.
 */
export interface JobThumbnailsResponse {
  job_id: string;
  reference_image_url: string | null;
  motion_video_url: string | null;
  input_video_url: string | null;
  output_video_url: string | null;
  reference_poster_url: string | null;
  motion_poster_url: string | null;
  output_poster_url: string | null;
  motion_preview_url: string | null;
  output_preview_url: string | null;
  reference_view_url: string | null;
  output_storyboard_url: string | null;
  /** Whether all browsers show or play the medium itself; null if that is not known. */
  playable: Record<Medium, boolean | null>;
  expires_at: string;
}

/** What is known of any job, live or deleted. */
export interface JobFields {
  id: string;
  /** What the owner calls it. */
  name: string | null;
  share_url: string | null;
  /** When the link ends; null for never. */
  share_expires_at: string | null;
  /** Whether the share page shows the name. */
  share_name: boolean;
  view_count: number;
  job_type: string | null;
  /** One of STATUSES, or one that a later version of the product adds. */
  status: string | null;
  resolution: string | null;
  credits_charged: number | null;
  /** What the user asked for in words; lists cut it. */
  extension_prompt: string | null;
  seed: number | null;
  /** The job whose video this one is made from. */
  source_job_id: string | null;
  /** How many of them were given back. */
  credits_refunded: number | null;
  error_message: string | null;
  created_at: string | null;
  updated_at: string | null;
  completed_at: string | null;
}

/** A live job. */
export interface Job extends JobFields {
  media: JobThumbnailsResponse;
}

/** A job in the trash. */
export interface DeletedJob extends JobFields {
  deleted_at: string;
  /** When the first of its files may be gone for good. */
  recoverable_until: string;
}

export type Counts = Record<Group | "all", number>;

export interface JobList {
  jobs: Job[];
  /** The number of jobs that match the filter, on all pages. */
  total: number;
  page: number;
  next_cursor: string | null;
  counts?: Counts;
}

/** What a search looks at. */
export type Way = "id" | "name";

/** A list as the page keeps it. */
export interface FoundList extends JobList {
  /** The number of jobs on the pages before this one. */
  before: number;
  /** What a search has found the jobs by. */
  by?: Way | undefined;
}

/** Jobs without their media. */
export interface PlainList {
  jobs: JobFields[];
  next_cursor: string | null;
}

export interface TrashList {
  jobs: DeletedJob[];
  total: number;
  page: number;
  next_cursor: string | null;
}

/** What a deletion removed from one bucket. */
export interface BucketReceipt {
  objects: number;
  bytes: number;
  proved_empty_at: string | null;
  /** When the last copy goes; null if there is none, or if that is not known. */
  recoverable_until: string | null;
}

/** The record of a deletion, for its owner. It stays when everything else is gone. */
export interface Receipt {
  job_id: string;
  requested_at: string;
  state: "pending" | "done" | "restoring" | "restored";
  buckets: Record<"images" | "videos" | "outputs", BucketReceipt>;
  /** What arrived after the deletion and was removed at once. */
  late_objects: number;
  late_bytes: number;
  proved_empty_at: string | null;
  /** Names of objects elsewhere that the job names and that are still there. */
  left: string[];
}

export interface JobRestoreResponse {
  job_id: string;
  restore: "pending" | "done";
}

/** A list of one job, without its media. */
export interface Newest {
  jobs: Pick<Job, "id">[];
  total: number;
}

export interface JobOutputResponse {
  job_id: string;
  download_url: string;
  filename: string;
}

/** Of a job, what has changed. */
export type Change = Pick<Job, "id"> & Partial<JobFields>;

/** Of a renamed job, what has changed. */
export interface JobName {
  id: string;
  name: string | null;
}

/** The progress of a deletion of all jobs. */
export interface Erasure {
  state: "pending" | "done";
  /** How many there were at the request. */
  jobs: number;
  /** How many are deleted by now; with jobs that came late, more than `jobs`. */
  deleted: number;
}

export interface JobShareResponse {
  job_id: string;
  share_url: string | null;
  expires_at: string | null;
  share_name: boolean;
}

export function isStatus(text: string | null): text is JobStatus {
  return STATUSES.some((status) => status === text);
}

export function groupOf(status: string | null): Group {
  return isStatus(status) ? status : "other";
}

/** Whether the job is still under way. */
export function isActive(job: JobFields): boolean {
  return !FINAL.includes(job.status);
}

/** Returns the jobs whose status has changed. */
export function changedJobs(before: Job[], answered: Job[]): Job[] {
  const statuses = new Map(before.map((job) => [job.id, job.status]));
  return answered.filter((job) => statuses.has(job.id) && statuses.get(job.id) !== job.status);
}

/** Whether the job's share link works at this time, in milliseconds since 1970. */
export function isShared({ share_url, share_expires_at }: JobFields, now = serverNow()): boolean {
  return share_url !== null && !(share_expires_at && Date.parse(share_expires_at) <= now);
}

/** Returns how often the job's video was viewed by its link. */
export function formatViews({ view_count: views }: JobFields): string {
  return views === 0 ? "No views yet" : `${views} ${views === 1 ? "view" : "views"}`;
}

/** A job in progress has stalled if nobody has changed it for this long. A sweep tells operators. */
const STALLED_AFTER = DAY;

/** Returns since when the job has stalled, in milliseconds since 1970; null if it has not. */
export function stalledSince(job: JobFields, now: number): number | null {
  const changed = parseTime(job.updated_at ?? job.created_at);
  return isActive(job) && changed !== null && now - changed >= STALLED_AFTER ? changed : null;
}

/** Returns why the job has failed, in the words of whoever recorded it. */
export function failureReason(job: JobFields): string {
  return job.error_message?.trim() || "The job failed, and no reason was recorded.";
}

const TYPES = new Map<string, string>(
  Object.entries({
    animate: "Animation",
    extend: "Extension",
    upscale: "Upscale",
    foley: "Sound effects",
    subtitles: "Subtitles",
    watermark: "Watermark",
  }),
);

export const JOB_TYPES = [...TYPES.keys()];

export function typeLabel({ job_type }: Pick<JobFields, "job_type">): string {
  return (job_type && TYPES.get(job_type)) || "Video";
}

/** Returns the job's own name, or else what kind of video it is. */
export function titleOf(job: JobFields): string {
  return job.name || typeLabel(job);
}

/** Returns the first characters of the id, enough to tell jobs apart. */
export function shortName(jobId: string): string {
  return jobId.slice(0, 8);
}

function formatCredits(credits: number): string {
  return `${credits} ${credits === 1 ? "credit" : "credits"}`;
}

/** Returns what the job has cost, such as "10 credits, 4 given back", or null if that is not known. */
export function costOf({ credits_charged: charged, credits_refunded: refunded }: JobFields): string | null {
  if (charged === null) return null;
  const back = refunded && `, ${refunded >= charged ? "" : `${refunded} `}given back`;
  return formatCredits(charged) + (back || "");
}
