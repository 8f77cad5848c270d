import { getJobOutput } from "@/lib/api";
import { messageOf, SessionEnded } from "@/lib/errors";
import { type Job, shortName } from "@/lib/job";
import { notify } from "@/lib/notify";

/** How long to wait for an error before the download counts as started, in milliseconds. */
const ERROR_WAIT = 2_000;
/** How long the frame stays, in milliseconds: removing it cancels a download that has not started yet. */
const FRAME_LIFETIME = 60_000;

/** Lets the browser save the job's output. The signed URL sets the file's name; no data passes through the page. */
export async function download(job: Job): Promise<void> {
  const failed = (reason: string) =>
    notify("error", `Job ${shortName(job.id)} could not be downloaded`, reason);
  try {
    const output = await getJobOutput(job.id);
    if (await isSaved(output.download_url)) notify("success", `Saving ${output.filename}`);
    else failed("The output video is missing or cannot be reached.");
  } catch (error) {
    if (!(error instanceof SessionEnded)) failed(messageOf(error));
  }
}

/**
 * Opens the URL in a hidden frame, where an error response cannot replace the page. The frame's `load` event means
 * that the response was displayed instead of saved, so it was an error.
 */
function isSaved(url: string): Promise<boolean> {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.referrerPolicy = "no-referrer";
  frame.src = url;
  return new Promise((resolve) => {
    frame.addEventListener("load", () => resolve(false));
    setTimeout(() => resolve(true), ERROR_WAIT);
    setTimeout(() => frame.remove(), FRAME_LIFETIME);
    document.body.append(frame);
  });
}

export async function copyShareLink(job: Job): Promise<void> {
  if (job.share_url === null) {
    notify("info", "This job has no share link", "You can make one in its details.");
    return;
  }
  try {
    await navigator.clipboard.writeText(job.share_url);
    notify("success", "Link copied", job.share_url);
  } catch {
    // The browser denied permission, or the page is not secure: the user can still copy the link by hand.
    notify("error", "The browser blocked copying. Here is the link:", job.share_url);
  }
}
