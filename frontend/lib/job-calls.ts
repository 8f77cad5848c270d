/** Calls for what the user does with jobs. They load later than the list, which api.ts gets. Each throws what `call` throws. */

import { call, filterParameters } from "@/lib/api";
import { ApiError } from "@/lib/errors";
import type {
  Change,
  JobFields,
  JobName,
  JobOutputResponse,
  JobRestoreResponse,
  JobShareResponse,
  PlainList,
  Receipt,
  Way,
} from "@/lib/job";
import type { Place } from "@/lib/view";

/** Returns up to 100 jobs of a view without their media, from the beginning or from a cursor on. */
export function listPlainly(
  view: Place,
  by: Way | undefined,
  cursor: string | null,
  signal: AbortSignal,
): Promise<PlainList> {
  const parameters = new URLSearchParams({
    page_size: "100",
    ...(view.search ? { [`${by}_prefix`]: view.search } : filterParameters(view)),
    ...(cursor && { cursor }),
  });
  return call("listJobs", `/jobs?${parameters}`, { signal });
}

/** Returns the job with all of its texts, which lists cut. */
export function getJob(jobId: string, signal?: AbortSignal): Promise<JobFields> {
  return call("listJobs", `/jobs/${encodeURIComponent(jobId)}`, { signal });
}

export function getJobOutput(jobId: string): Promise<JobOutputResponse> {
  return call("getOutput", `/jobs/${encodeURIComponent(jobId)}/output`);
}

/** Gives the job a name, or with null, none. Returns the name as it was saved. */
export async function renameJob(jobId: string, name: string | null): Promise<JobName> {
  return call("renameJob", `/jobs/${encodeURIComponent(jobId)}`, { method: "PATCH", body: { name } });
}

/** Succeeds if the job is already gone, and then returns undefined. */
export async function deleteJob(jobId: string): Promise<{ job_id: string } | undefined> {
  try {
    return await call("deleteJob", `/jobs/${encodeURIComponent(jobId)}`, { method: "DELETE" });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}

/** Takes the job's deletion back. The job is live again once all of its files are. */
export function restoreJob(jobId: string): Promise<JobRestoreResponse> {
  return call("undeleteJob", `/jobs/${encodeURIComponent(jobId)}/restore`, { method: "POST" });
}

/** Returns the receipt of the job's deletion, also after the last copy is gone. */
export function getReceipt(jobId: string, signal?: AbortSignal): Promise<Receipt> {
  return call("listJobs", `/jobs/${encodeURIComponent(jobId)}/deletion`, { signal });
}

/** Makes a new share link for a completed job. The old link, if any, stops working. */
export function makeShareLink(jobId: string): Promise<JobShareResponse> {
  return call("shareJob", `/jobs/${encodeURIComponent(jobId)}/share`, { method: "POST" });
}

/** Says when the job's link ends, null for never, or whether it shows the job's name. */
export function changeShareLink(
  jobId: string,
  body: { expires_at: string | null } | { share_name: boolean },
): Promise<JobShareResponse> {
  return call("shareJob", `/jobs/${encodeURIComponent(jobId)}/share`, { method: "PATCH", body });
}

/** Returns what a new link, or the end of one, changes about its job. */
export function changeOf({ job_id: id, share_url, expires_at, share_name }: JobShareResponse): Change {
  return { id, share_url, share_expires_at: expires_at, share_name };
}

export function endShareLink(jobId: string): Promise<JobShareResponse> {
  return call("shareJob", `/jobs/${encodeURIComponent(jobId)}/share`, { method: "DELETE" });
}
