import { patiently } from "@/lib/bulk";
import type { JobFields, PlainList, Way } from "@/lib/job";
import { listPlainly } from "@/lib/job-calls";
import type { View } from "@/lib/view";

/**
 * Returns all jobs of the view, on whatever page. A job that is made or deleted meanwhile may be missing. Throws what `call`
 * throws and, once aborted, the signal's reason.
 */
export async function allMatching(
  view: View,
  by: Way | undefined,
  signal: AbortSignal,
): Promise<JobFields[]> {
  const found = new Map<string, JobFields>();
  let cursor: string | null = null;
  do {
    const after: string | null = cursor;
    const list: PlainList = await patiently(() => listPlainly(view, by, after, signal), signal);
    signal.throwIfAborted();
    for (const job of list.jobs) found.set(job.id, job);
    cursor = list.next_cursor;
  } while (cursor !== null);
  return [...found.values()];
}
