import { messageOf, SessionEnded } from "@/lib/errors";
import { type Job, shortName } from "@/lib/job";
import { getJobOutput } from "@/lib/job-calls";
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
