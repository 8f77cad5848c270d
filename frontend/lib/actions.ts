import { isShared, type Job } from "@/lib/job";
import { notify } from "@/lib/notify";

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
