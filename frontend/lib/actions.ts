/** What a job's buttons do that is loaded when it is needed. The user is told if it cannot be. */

import { messageOf } from "@/lib/errors";
import { type Job, shortName } from "@/lib/job";
import { late } from "@/lib/late";
import { loadLater } from "@/lib/later";
import { notify } from "@/lib/notify";

/** Lets the browser save the job's output. The user is told of the result. */
export async function download(job: Job): Promise<void> {
  try {
    const part = await late(loadLater);
    await part.download(job);
  } catch (error) {
    notify("error", `Job ${shortName(job.id)} could not be downloaded`, messageOf(error));
  }
}
