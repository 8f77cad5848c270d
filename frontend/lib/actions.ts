import { getJobOutput } from "@/lib/api";
import { messageOf } from "@/lib/errors";
import { type Job, shortName } from "@/lib/job";
import { notify } from "@/lib/notify";
import { SessionEnded } from "@/lib/session";

/** Let the browser save the job's output: the signed URL carries the file's name, and nothing passes through the page. */
export async function download(job: Job): Promise<void> {
  try {
    const output = await getJobOutput(job.id);
    saveInBackground(output.download_url);
    notify("success", `Saving ${output.filename}`);
  } catch (error) {
    if (!(error instanceof SessionEnded)) {
      notify("error", `Job ${shortName(job.id)} could not be downloaded`, messageOf(error));
    }
  }
}

/** In a frame, so that whatever Storage answers, be it an error, the page stays. */
function saveInBackground(url: string): void {
  const name = "download";
  let frame = document.querySelector<HTMLIFrameElement>(`iframe[name=${name}]`);
  if (!frame) {
    frame = document.createElement("iframe");
    frame.name = name;
    frame.hidden = true;
    document.body.append(frame);
  }
  frame.src = url;
}

export async function copyShareLink(job: Job): Promise<void> {
  if (job.share_url === null) {
    notify("info", "This job has no share link", "It gets one when its output has been published.");
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
