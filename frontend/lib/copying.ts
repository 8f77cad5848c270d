import type { Action } from "@/components/ui/Toasts";
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
  const action = onDetails && { label: "End date", onClick: onDetails };
  await copy("Link", job.share_url, job.share_url, action);
}

/** Copies a text that is on the screen. `name` says what it is, such as "Prompt". */
export async function copyText(name: string, text: string): Promise<void> {
  await copy(name, text);
}

/** `shown` is a text so short that messages can show it. */
async function copy(name: string, text: string, shown?: string, action?: Action): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify("success", `${name} copied`, shown, COPY, action);
  } catch {
    // The browser denied permission, or the page is not secure. The user can still copy it by hand.
    const blocked = "The browser blocked copying.";
    if (shown) notify("error", `${blocked} Here is the ${name.toLowerCase()}:`, shown, COPY);
    else notify("error", blocked, "You can select the text and copy it by hand.", COPY);
  }
}
