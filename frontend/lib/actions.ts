/** What a job's buttons do. It is loaded when it is needed, and the user is told if it cannot be. */

import { messageOf } from "@/lib/errors";
import { type Job, shortName } from "@/lib/job";
import { late } from "@/lib/late";
import { loadLater } from "@/lib/later";
import { notify } from "@/lib/notify";

type Later = Awaited<ReturnType<typeof loadLater>>;

async function attempt(failure: string, act: (part: Later) => Promise<void>): Promise<void> {
  try {
    await act(await late(loadLater));
  } catch (error) {
    notify("error", failure, messageOf(error));
  }
}

/** Lets the browser save the job's output. The user is told of the result. */
export function download(job: Job): Promise<void> {
  return attempt(`Job ${shortName(job.id)} could not be downloaded`, (part) => part.download(job));
}

/** Copies the link of the job. `onDetails` leads to where it can be given an end date. */
export function copyShareLink(job: Job, onDetails?: () => void): Promise<void> {
  return attempt(`The link for job ${shortName(job.id)} could not be copied`, (part) =>
    part.copyShareLink(job, onDetails),
  );
}
