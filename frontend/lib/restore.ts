/** What became of restores that were accepted. */

import { getJobs, getReceipt } from "@/lib/api";
import { ApiError } from "@/lib/errors";

/** The most jobs that one request may ask for. */
const MOST = 100;

export interface Settled {
  /** Ids of jobs that are live again. */
  back: string[];
  /** Ids of jobs that stay deleted: they were deleted again, or their files were gone before they could come back. */
  stay: string[];
}

/** Returns which of the restores have ended, and how. The others are still under way. */
export async function settledRestores(ids: string[], signal: AbortSignal): Promise<Settled> {
  const asked = ids.slice(0, MOST);
  const live = new Set((await getJobs(asked, signal)).map((job) => job.id));
  const missing = asked.filter((id) => !live.has(id));
  const ended = await Promise.all(missing.map((id) => isDeleted(id, signal)));
  return { back: asked.filter((id) => live.has(id)), stay: missing.filter((_, index) => ended[index]) };
}

async function isDeleted(id: string, signal: AbortSignal): Promise<boolean> {
  try {
    const { state } = await getReceipt(id, signal);
    return state === "pending" || state === "done";
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return true;
    throw error;
  }
}
