// @vitest-environment happy-dom
/** What the page asks by itself: it polls for active jobs and renews signed URLs, while it is visible. */

import { screen, within } from "@testing-library/dom";
import { expect, test, vi } from "vitest";
import { shortName } from "@/lib/job";
import { LIST, NO_CONNECTION, ONE_JOB, PAGE, POLL, THUMBNAILS } from "./fake-functions";
import {
  announced,
  button,
  card,
  cards,
  counts,
  dialog,
  doing,
  functions,
  idsOf,
  messages,
  open,
  press,
  run,
  show,
  tokens,
  warning,
} from "./rendered";

const MINUTE = 60;

/** What lies between two requests, in whole seconds. */
const gaps = (times: number[]) =>
  times.slice(1).map((time, place) => Math.round(time - Number(times[place])));

test("active jobs are polled every ten seconds unless the page is hidden, which loads its list when shown", async () => {
  functions.add({ status: "processing" }); // On the second page once the others are added.
  const active = ["pending", "queued", "processing"].map((status) => functions.add({ status }));
  functions.addMany(17, { status: "failed" });
  await open();
  await run(40);
  const polls = functions.asked(POLL);
  expect(gaps(functions.times(LIST))).toEqual([10, 10, 10, 10]);
  expect(polls).toHaveLength(4);
  for (const { query } of polls) {
    expect(query.ids?.split(",").sort()).toEqual(idsOf(active));
    expect(Object.keys(query)).toEqual(["ids", "include"]);
    expect(query.include).toBe("media");
  }

  await show("hidden");
  await run(5 * MINUTE);
  expect(functions.asked(LIST)).toHaveLength(5);
  await show("visible");
  // The list, which is old by now, contains what a poll would ask for.
  expect(functions.asked(LIST)).toHaveLength(6);
  expect(functions.asked(POLL)).toHaveLength(4);
  await run(10);
  expect(functions.asked(POLL)).toHaveLength(5);
  expect(gaps(functions.times(LIST)).at(-1)).toBe(10);
});

test("a page that is opened while hidden asks nothing, and loads its list once when it is shown", async () => {
  const job = functions.add({ status: "processing" });
  await open("", { hidden: true });
  await run(5 * MINUTE);
  expect(functions.calls).toEqual([]);
  await show("visible");
  expect(functions.asked(LIST)).toHaveLength(1);
  expect(cards()).toEqual([job.id]);
  await run(10);
  expect(gaps(functions.times(LIST))).toEqual([10]);
});

test("a page that is opened while hidden shows all cards at once if its user wants to be told", async () => {
  functions.addMany(20);
  localStorage.setItem("tell-when-done", "1");
  vi.stubGlobal("Notification", { permission: "granted" });
  // Without time, in which one card would follow the other.
  await open("", { hidden: true, time: 0 });
  expect(cards()).toHaveLength(20);
});

test("a page that was hidden for a moment polls once when it is shown", async () => {
  functions.add({ status: "processing" });
  await open();
  await show("hidden");
  await run(15);
  await show("visible");
  await run(8);
  expect(gaps(functions.times(LIST))).toEqual([15]);
});

test("switching tabs does not make it poll more often", async () => {
  functions.add({ status: "processing" });
  await open();
  await run(10);
  for (let times = 0; times < 3; times++) {
    await show("hidden");
    await run(1);
    await show("visible");
    await run(1);
  }
  await run(5);
  expect(gaps(functions.times(POLL))).toEqual([10]);
});

test("polling slows down while there is no response, and honours Retry-After", async () => {
  const job = functions.add({ status: "processing" });
  await open();
  let stop = functions.instead(POLL, NO_CONNECTION);
  // Up to 30 % are added to each gap of the back-off.
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  await run(10 + 1.15 * (20 + 40 + 80 + 120));
  expect(gaps(functions.times(POLL))).toEqual([20, 40, 80, 120].map((gap) => 1.15 * gap));
  expect(cards()).toEqual([job.id]);
  stop();
  await run(1.15 * 120 + 10);
  expect(gaps(functions.times(POLL)).slice(-2)).toEqual([1.15 * 120, 10]);

  stop = functions.refuse(POLL, 503, "Firestore is not available now.", { "Retry-After": "60" });
  await run(10);
  stop();
  await run(1.15 * 60 + 10);
  expect(gaps(functions.times(POLL)).slice(-3)).toEqual([10, 1.15 * 60, 10]);
});

test("a warning is shown from the second failure until a poll or a list without active jobs succeeds", async () => {
  const job = functions.add({ status: "processing" });
  await open();
  let stop = functions.refuse(POLL, 503, "Firestore is not available now.");
  await run(15);
  expect([functions.asked(POLL).length, warning()]).toEqual([1, null]);
  await run(21);
  expect(functions.asked(POLL)).toHaveLength(2);
  expect(warning()?.textContent).toContain("The list may be out of date. Firestore is not available now.");
  stop();
  await run(52);
  expect(warning()).toBeNull();

  stop = functions.refuse(POLL, 503, "Firestore is not available now.");
  await run(36);
  job.status = "failed";
  await press(button("Try again", warning() ?? undefined));
  expect(counts("Processing", "Failed")).toEqual({ Processing: "0", Failed: "1" });
  expect(warning()).toBeNull();
});

test("a list that could not be loaded again is loaded when it can be", async () => {
  functions.addMany(21);
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  await open("?page=2");
  const stop = functions.refuse(PAGE, 503, "Firestore is not available now.", { "Retry-After": "15" });
  await press(button("Refresh the list"));
  expect(warning()?.textContent).toContain("The list may be out of date.");
  await run(1.15 * 20);
  expect(gaps(functions.times(PAGE))).toEqual([0, 23]);
  stop();
  await run(1.15 * 20);
  expect(gaps(functions.times(PAGE))).toEqual([0, 23, 23]);
  expect(warning()).toBeNull();
});

test("a job with an unknown status is polled until it finishes", async () => {
  const job = functions.add({ status: "processing" });
  await open();
  const title = () => within(card(job)).getByRole("heading").textContent;
  const unknown = { watermarking: "Watermarking", post_processing: "Post processing", null: "Unknown" };
  for (const [status, label] of Object.entries(unknown)) {
    job.status = "processing";
    await run(10);
    expect(counts("All", "Processing")).toEqual({ All: "1", Processing: "1" });
    job.status = status === "null" ? null : status;
    await run(10);
    expect(title()).toContain(label);
    expect(within(card(job)).getByTestId("elapsed").textContent).toContain(`${label}... `);
    expect(announced()).toBe(`Job ${shortName(job.id)} is now ${label.toLowerCase()}.`);
    expect(counts("All", "Processing", "Other")).toEqual({ All: "1", Processing: "0", Other: "1" });
  }
  job.status = "completed";
  await run(10);
  expect(title()).toContain("Completed");
  expect(counts("All", "Completed")).toEqual({ All: "1", Completed: "1" });
});

test("a poll during a deletion does not count the job twice", async () => {
  const kept = functions.add({ status: "processing" });
  const gone = functions.add({ status: "processing" });
  await open();
  const answerPoll = functions.hold(POLL);
  await run(10);
  // The functions delete the job, but the page does not get the response yet.
  const answerDeletion = functions.hold(ONE_JOB, { answered: true });
  await press(button(/^Delete /, card(gone)));
  await press(button("Delete job", dialog()));
  expect(functions.jobs).toEqual([kept]);
  await doing(() => answerPoll());
  const answerList = functions.hold(LIST);
  await doing(() => answerDeletion());
  expect(messages()).toEqual([`Job ${shortName(gone.id)} deletedUndo`]);
  expect(counts("All", "Processing")).toEqual({ All: "1", Processing: "1" });
  await doing(() => answerList());
  expect(cards()).toEqual([kept.id]);
});

test("a job deleted elsewhere leaves the page, and polling stops when the last job finishes", async () => {
  const queued = functions.add({ status: "queued" });
  const processing = functions.add({ status: "processing" });
  const gone = functions.add({ status: "queued" });
  await open();
  functions.remove(gone);
  await run(10);
  expect(cards()).toEqual(idsOf([processing, queued]));
  const labels = ["All", "Queued", "Processing", "Failed"];
  expect(counts(...labels)).toEqual({ All: "2", Queued: "1", Processing: "1", Failed: "0" });
  screen.getByText("1–2 of 2");

  queued.status = "failed";
  await run(10);
  expect(counts("Failed")).toEqual({ Failed: "1" });
  processing.status = "failed";
  await run(10);
  expect(counts("Failed")).toEqual({ Failed: "2" });
  await run(2 * MINUTE);
  expect(functions.asked(POLL).map(({ query }) => query.ids?.split(",").length)).toEqual([3, 2, 1]);
  expect(functions.asked(POLL)[2]?.query.ids).toBe(processing.id);
});

test("the next jobs move up when a whole page is deleted elsewhere", async () => {
  const last = functions.add({ status: "queued" });
  const gone = functions.addMany(20, { status: "queued" });
  await open();
  functions.remove(...gone);
  await run(10);
  expect(cards()).toEqual([last.id]);
});

/** The number of the answer that brought the URLs which the job's tiles show. */
function shownAnswers(job: { id: string }): number[] {
  const media = [...card(job).querySelectorAll<HTMLImageElement | HTMLVideoElement>("img, video")];
  return media.map(({ src }) => Number(/answer=(\d+)/.exec(src)?.[1]));
}

test("URLs are renewed once before they expire", async () => {
  const job = functions.add();
  functions.urlsLast = 30 * MINUTE;
  await open();
  expect(shownAnswers(job)).toEqual([1, 1, 1]);
  await run(25 * MINUTE - 1);
  expect(functions.asked(PAGE)).toHaveLength(1);
  await run(24 * MINUTE);
  expect(gaps(functions.times(PAGE))).toEqual([25 * MINUTE]);
  const [answer, ...others] = new Set(shownAnswers(job));
  expect([Number(answer) > 1, others]).toEqual([true, []]);
});

test("the token is renewed too after an hour", async () => {
  const job = functions.add();
  await open();
  await run(56 * MINUTE);
  // Firebase renews the token itself. A fresh one is for where the functions refuse it.
  expect(new Set(tokens)).toEqual(new Set([false]));
  const sent = functions.asked(PAGE).map(({ headers }) => headers.Authorization);
  expect(sent).toEqual(["Bearer token", expect.stringMatching(/^Bearer token \d$/)]);
  expect(Math.min(...shownAnswers(job))).toBeGreaterThan(1);
});

test("nothing is renewed while the page is hidden", async () => {
  const job = functions.add();
  functions.urlsLast = 30 * MINUTE;
  await open();
  await show("hidden");
  await run(41 * MINUTE);
  expect(functions.asked(PAGE)).toHaveLength(1);
  await show("visible");
  expect(functions.asked(PAGE)).toHaveLength(2);
  expect(Math.min(...shownAnswers(job))).toBeGreaterThan(1);
});

test("a wrong clock causes no renewals once the functions have told theirs", async () => {
  functions.add();
  functions.urlsLast = 10 * MINUTE;
  await open();
  // The page's clock is set 20 minutes ahead.
  vi.setSystemTime(Date.now() + 20 * MINUTE * 1000);
  functions.ahead = -20 * MINUTE;
  await run(5 * MINUTE);
  expect(functions.asked(PAGE)).toHaveLength(2);
  await run(5 * MINUTE - 1);
  expect(functions.asked(PAGE)).toHaveLength(2);
  await run(1);
  expect(functions.asked(PAGE)).toHaveLength(3);
});

test("a wrong clock does not cause endless renewals where nobody tells the time", async () => {
  functions.add();
  functions.urlsLast = 10 * MINUTE;
  await open();
  // All URLs that come from now on seem to have expired already.
  functions.ahead = null;
  functions.urlsLast = -10 * MINUTE;
  await run(5 * MINUTE + 130);
  expect(gaps(functions.times(PAGE))).toEqual([5 * MINUTE, 60, 60]);
});

const fail = (medium: Element | null) => doing(() => medium?.dispatchEvent(new Event("error")));

test("a preview whose URL has stopped working gets a new one, or says after one retry that it cannot be shown", async () => {
  const job = functions.add();
  await open();
  await press(button(/^Preview the output video/, card(job)));
  const video = () => dialog().querySelector("video");
  const before = video()?.src;
  await fail(video());
  expect(video()?.src.split("?")[0]).toBe(before?.split("?")[0]);
  expect(video()?.src).not.toBe(before);
  expect(functions.asked(THUMBNAILS).map(({ path }) => path)).toEqual([`/jobs/${job.id}/thumbnails`]);

  await fail(video());
  within(dialog()).getByText("The output video cannot be shown.");
  expect([video(), functions.asked(THUMBNAILS).length]).toEqual([null, 1]);
});

test("a video that plays is left alone while another medium is renewed", async () => {
  const job = functions.add();
  await open();
  await press(button(/^Preview the output video/, card(job)));
  const video = dialog().querySelector("video");
  const before = video?.src;
  const load = vi.spyOn(HTMLMediaElement.prototype, "load");
  const picture = () => card(job).querySelector("img");
  const others = () => [...card(job).querySelectorAll("video")].map(({ src }) => src);
  const shown = [picture()?.src, others()];
  await fail(picture());
  expect(picture()?.src).not.toBe(shown[0]);
  expect(others()).toEqual(shown[1]);
  expect(functions.asked(THUMBNAILS)).toHaveLength(1);
  expect(dialog().querySelector("video")).toBe(video);
  expect([video?.src, load.mock.calls]).toEqual([before, []]);
});
