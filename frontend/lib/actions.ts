import { getJobOutput } from "@/lib/api";
import { messageOf, SessionEnded } from "@/lib/errors";
import { isShared, type Job, shortName } from "@/lib/job";
import { notify } from "@/lib/notify";

/** How long to wait for an error before the download counts as started, in milliseconds. One may still come later. */
const ERROR_WAIT = 2_000;
/** How long the frame stays, in milliseconds: removing it cancels a download that has not started yet. */
const FRAME_LIFETIME = 60_000;

/** Lets the browser save the job's output. The signed URL sets the file's name; no data passes through the page. */
export async function download(job: Job): Promise<void> {
  const topic = `download of ${job.id}`;
  const failed = (reason: string) =>
    notify("error", `Job ${shortName(job.id)} could not be downloaded`, reason, topic);
  try {
    const { download_url, filename } = await getJobOutput(job.id);
    // An error that comes late takes the message back.
    const begun = await save(download_url, () => failed("The output video is missing or cannot be reached."));
    if (begun) notify("success", `Saving ${filename}`, undefined, topic);
  } catch (error) {
    if (!(error instanceof SessionEnded)) failed(messageOf(error));
  }
}

/**
 * Opens the URL in a hidden frame, where an error response cannot replace the page. The frame's `load` event means
 * that the response was displayed instead of saved, so it was an error: then `onError` is called. Returns false if that
 * happens soon.
 */
function save(url: string, onError: () => void): Promise<boolean> {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.referrerPolicy = "no-referrer";
  frame.src = url;
  return new Promise((resolve) => {
    frame.addEventListener("load", () => {
      resolve(false);
      onError();
    });
    setTimeout(() => resolve(true), ERROR_WAIT);
    setTimeout(() => frame.remove(), FRAME_LIFETIME);
    document.body.append(frame);
  });
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
