/** What tells the user, once, that a job is done or has failed. */

import { changedJobs, failureReason, isActive, type Job, shortName, titleOf } from "@/lib/job";
import { notify } from "@/lib/notify";
import { serverNow } from "@/lib/server-time";
import { shown, TOLD, tellingSince, WANTED } from "@/lib/telling";
import { parseTime } from "@/lib/time";

const MOST_KEPT = 100;
const LONGEST_REASON = 200;

/** What is kept where the browser has no room left. Then each tab tells, and notifications of a job replace each other. */
let toldHere = new Map<string, number>();

/** The latest of these times, in milliseconds since 1970; 0 if there is none. */
const latestOf = (...times: (string | null | undefined)[]) =>
  Math.max(...times.map((time) => parseTime(time ?? null) ?? 0));

const endOf = (job: Job) => `${job.id} ${job.status}`;

/**
 * Returns the jobs that have ended since the list was `before`: those that were in progress, and those that were not
 * there and were started or completed after `since`, in milliseconds since 1970 by the functions' clock.
 */
export function endedSince(before: Job[], jobs: Job[], since: number): Job[] {
  const changed = changedJobs(before.filter(isActive), jobs);
  const isNew = (job: Job) =>
    [job.created_at, job.completed_at].some((time) => (parseTime(time) ?? 0) >= since) &&
    before.every((one) => one.id !== job.id);
  return jobs.filter((job) => !isActive(job) && (changed.includes(job) || isNew(job)));
}

/**
 * Returns those of the ended jobs whose end nobody has been told of, and records it as told. A job that was worked on again
 * ends anew: it was completed after the end that was told, or was still in progress then, as it was `before`. Of several
 * tabs that ask at the same time, one gets a job. Where there are no locks, two may get it.
 */
export async function claim(ended: Job[], before: Job[]): Promise<Job[]> {
  const take = async () => {
    const told = readTold();
    const fresh = ended.filter((job) => {
      const changed = before.find((one) => one.id === job.id)?.updated_at;
      const known = latestOf(changed, job.completed_at);
      if (known <= (told.get(endOf(job)) ?? -1)) return false;
      told.delete(endOf(job)); // So that it becomes the last one.
      told.set(endOf(job), Math.max(known, latestOf(job.updated_at)));
      return true;
    });
    toldHere = new Map([...told].slice(-MOST_KEPT));
    try {
      localStorage.setItem(TOLD, JSON.stringify([...toldHere]));
    } catch {
      // There is no room left; see toldHere.
    }
    return fresh;
  };
  return navigator.locks ? navigator.locks.request(TOLD, take) : take();
}

function readTold(): Map<string, number> {
  try {
    return new Map([...toldHere, ...JSON.parse(localStorage.getItem(TOLD) ?? "[]")]);
  } catch {
    return new Map(toldHere);
  }
}

/**
 * False for a job that was completed before the user turned notifications on. A tab that asked nothing until then finds
 * such jobs.
 */
export function isNews(job: Job): boolean {
  const ended = parseTime(job.completed_at);
  return ended === null || ended >= (tellingSince() ?? 0);
}

/** Shows a notification of the browser. Its user gets to the job by `open`. */
export function showNotification(job: Job, open: (jobId: string) => void): void {
  const failed = job.status === "failed";
  const body = failed
    ? [...failureReason(job)].slice(0, LONGEST_REASON).join("")
    : `Job ${shortName(job.id)}`;
  const notification = new Notification(`${titleOf(job)} ${failed ? "has failed" : "is done"}`, {
    body,
    // The end of a job that was worked on again is another one.
    tag: `${endOf(job)} ${job.completed_at}`,
    icon: iconOf(failed),
  });
  shown.add(notification);
  notification.onclose = () => shown.delete(notification);
  notification.onclick = () => {
    window.focus();
    notification.close();
    open(job.id);
  };
}

export function iconOf(failed: boolean): string {
  return failed ? "/icon-failed.svg" : "/icon-done.svg";
}

/**
 * Asks the browser's permission, if necessary, and shows a first notification. Call it when the user asks for it. New jobs
 * are told of only while the page shows the first page of a list: in a search, the trash or on another page, none come.
 */
export async function startTelling(): Promise<void> {
  const impossible = "This browser shows no notifications of pages";
  if (!("Notification" in window)) return notify("error", impossible);
  if ((await Notification.requestPermission()) !== "granted") {
    const remedy = "Allow this page to show them in the browser's settings, and try again.";
    return notify("error", "The browser does not allow notifications", remedy);
  }
  try {
    setTelling(true);
  } catch {
    return notify("error", "The browser has no room left to remember this");
  }
  try {
    // Some browsers have them for service workers only, and throw: https://developer.mozilla.org/en-US/docs/Web/API/Notification/Notification
    new Notification(
      "You will be told here when a job that the page shows is done or has failed, or a new one that comes to the first page of the list.",
      { tag: WANTED },
    );
  } catch {
    setTelling(false);
    notify("error", impossible);
  }
}

export function stopTelling(): void {
  setTelling(false);
  notify("success", "Notifications are off");
}

/** Turns it on or off, for all tabs. Throws where the browser has no room left. */
function setTelling(wanted: boolean): void {
  if (wanted) localStorage.setItem(WANTED, String(serverNow()));
  else localStorage.removeItem(WANTED);
  sayThatItChanged();
}

/**
 * Calls the listeners of this tab when the user changes the permission in the browser's own settings. Returns what ends
 * that. Browsers that do not tell of permissions leave it to the next change of anything else.
 */
export function heedPermission(): () => void {
  const heeding = new AbortController();
  const heed = (status: PermissionStatus) =>
    status.addEventListener("change", sayThatItChanged, { signal: heeding.signal });
  navigator.permissions?.query({ name: "notifications" }).then(heed, () => undefined);
  return () => heeding.abort();
}

/** For `storage`, browsers call the listeners of the other tabs only. */
function sayThatItChanged(): void {
  window.dispatchEvent(new Event("storage"));
}
