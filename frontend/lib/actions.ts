import { getJobOutput } from "@/lib/api";
import { messageOf, SessionEnded } from "@/lib/errors";
import { type Job, shortName } from "@/lib/job";
import { notify } from "@/lib/notify";

/** By then an error has come, if one comes, in milliseconds. */
const PATIENCE = 2_000;
const LIFE_OF_A_FRAME = 60_000;

/** Let the browser save the job's output: the signed URL carries the file's name, and nothing passes through the page. */
export async function download(job: Job): Promise<void> {
  const failed = (reason: string) =>
    notify("error", `Job ${shortName(job.id)} could not be downloaded`, reason);
  try {
    const output = await getJobOutput(job.id);
    if (await isSaved(output.download_url)) notify("success", `Saving ${output.filename}`);
    else failed("Its output video is not there, or cannot be reached.");
  } catch (error) {
    if (!(error instanceof SessionEnded)) failed(messageOf(error));
  }
}

/**
 * Opens what is to be saved in a frame that nobody sees: were it an error, the page would make way for it. A frame
 * loads whatever is not saved.
 */
function isSaved(url: string): Promise<boolean> {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.referrerPolicy = "no-referrer";
  frame.src = url;
  return new Promise((resolve) => {
    frame.addEventListener("load", () => resolve(false));
    setTimeout(() => resolve(true), PATIENCE);
    // Not earlier: a download that has not begun yet would end with it.
    setTimeout(() => frame.remove(), LIFE_OF_A_FRAME);
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
    // No permission, or a page that is not secure: the user can still take it by hand.
    notify("error", "The browser did not let the page copy. This is the link:", job.share_url);
  }
}
