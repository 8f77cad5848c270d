/** Taking deletions back. Loaded when it is needed, because most visits restore nothing. */

import { getJobs } from "@/lib/api";
import { fewAtOnce, patiently } from "@/lib/bulk";
import { ApiError, messageOf, SessionEnded } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { getReceipt, restoreJob } from "@/lib/job-calls";
import { LARGEST_PAGE } from "@/lib/list";
import { namesOf } from "@/lib/naming";
import { notify } from "@/lib/notify";

/** The most receipts asked for in one poll. Each is a request. */
const RECEIPTS = 5;

/** The requests that are out, by the job's id. */
const requests = new Map<string, Promise<unknown>>();

/** In which poll each job was last asked for, and its receipt. */
const lastAsked = { job: new Map<string, number>(), receipt: new Map<string, number>() };
let polls = 0;

/**
 * Asks for the jobs back, a few at a time, and tells the user what was accepted, and what was not and why. One that is
 * no longer wanted when its turn comes or when it is answered, because it was deleted again, is left out. Throws
 * SessionEnded.
 */
export async function requestRestores(
  jobs: JobFields[],
  isWanted: (job: JobFields) => boolean,
  onAccepted: (job: JobFields) => void,
  onRefused: (job: JobFields) => void,
): Promise<void> {
  const begun: JobFields[] = [];
  const refused = new Map<string, JobFields[]>();
  await fewAtOnce(jobs, async (job) => {
    const ask = async () => {
      if (isWanted(job)) await request(job.id);
    };
    try {
      await patiently(ask);
      if (!isWanted(job)) return;
      begun.push(job);
      onAccepted(job);
    } catch (error) {
      if (error instanceof SessionEnded) throw error;
      if (!isWanted(job)) return;
      const reason = messageOf(error);
      refused.set(reason, [...(refused.get(reason) ?? []), job]);
      onRefused(job);
    }
  });
  if (begun.length > 0)
    tell("success", begun, begun.length === 1 ? "is being restored" : "are being restored");
  for (const [reason, some] of refused) tell("error", some, "could not be restored", reason);
}

async function request(id: string): Promise<void> {
  const answer = restoreJob(id);
  requests.set(id, answer);
  try {
    await answer;
  } finally {
    if (requests.get(id) === answer) requests.delete(id);
  }
}

/**
 * Waits while a request for the job is out: a deletion could overtake it, and the job would come back. If the page is
 * left meanwhile, nobody would send what waits, so the wait ends.
 */
export async function restoreAnswered(id: string): Promise<void> {
  const answer = requests.get(id);
  if (!answer) return;
  const waiting = new AbortController();
  const left = new Promise((resolve) => {
    window.addEventListener("pagehide", resolve, { once: true, signal: waiting.signal });
  });
  await Promise.race([answer.catch(() => undefined), left]);
  waiting.abort();
}

interface Settled {
  /** Jobs that are live again. */
  back: JobFields[];
  /** Jobs that stay deleted: they were deleted again, or their files were gone before they could come back. */
  stay: JobFields[];
}

/** Returns which of the accepted restores have ended, and how. The others are still under way, or get their turn later. */
export async function settledRestores(accepted: JobFields[], signal: AbortSignal): Promise<Settled> {
  polls += 1;
  const asked = longestWaiting(accepted, LARGEST_PAGE, lastAsked.job);
  const answered = await getJobs(
    asked.map((job) => job.id),
    signal,
  );
  const live = new Set(answered.map((job) => job.id));
  const missing = longestWaiting(
    asked.filter((job) => !live.has(job.id)),
    RECEIPTS,
    lastAsked.receipt,
  );
  const ended = await Promise.all(missing.map((job) => isDeleted(job.id, signal)));
  return { back: asked.filter((job) => live.has(job.id)), stay: missing.filter((_, index) => ended[index]) };
}

/** Returns at most this many of the jobs, those that were not asked for the longest, and notes that they are now. */
function longestWaiting(jobs: JobFields[], most: number, last: Map<string, number>): JobFields[] {
  const asked = ({ id }: JobFields) => last.get(id) ?? 0;
  const chosen = [...jobs].sort((one, other) => asked(one) - asked(other)).slice(0, most);
  for (const { id } of chosen) last.set(id, polls);
  return chosen;
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

/** Tells the user how restores have ended. */
export function tellEnd(back: JobFields[], stay: JobFields[]): void {
  if (back.length > 0) tell("success", back, "restored");
  if (stay.length > 0) tell("error", stay, "could not be restored", "The deletion stands.");
}

function tell(kind: "success" | "error", jobs: JobFields[], what: string, reason?: string): void {
  const names = namesOf(jobs);
  const topic = `restore of ${jobs.map((job) => job.id).join(", ")}`;
  if (jobs.length === 1) notify(kind, `Job ${names} ${what}`, reason, topic);
  else notify(kind, `${jobs.length} jobs ${what}`, reason ? `${names}. ${reason}` : names, topic);
}
