import { messageOf } from "@/lib/errors";
import { isShared, type Job, shortName } from "@/lib/job";
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

/** The topic of messages about copying: only the last copy is on the clipboard. */
const COPY = "copy";

/** Copies the link of the job. `onDetails` leads to where it can be given an end date. */
export async function copyShareLink(job: Job, onDetails?: () => void): Promise<void> {
  if (!isShared(job) || job.share_url === null) {
    notify("info", "This job has no share link", "You can make one in its details.", COPY);
    return;
  }
  try {
    await navigator.clipboard.writeText(job.share_url);
    const action = onDetails && { label: "End date", onClick: onDetails };
    notify("success", "Link copied", job.share_url, COPY, action);
  } catch {
    // The browser denied permission, or the page is not secure: the user can still copy the link by hand.
    notify("error", "The browser blocked copying. Here is the link:", job.share_url, COPY);
  }
}
