// @vitest-environment happy-dom
/** Deleting jobs, one or several or all: the confirmation, what is shown meanwhile, and taking a deletion back. */

import { screen, within } from "@testing-library/dom";
import { expect, test, vi } from "vitest";
import { type Job, shortName } from "@/lib/job";
import { LIST, NO_CONNECTION, ONE_JOB, PAGE, POLL, problem, type Which } from "./fake-functions";
import {
  announced,
  button,
  card,
  cards,
  counts,
  dialog,
  filter,
  firebase,
  functions,
  idsOf,
  messages,
  open,
  press,
  pressEscape,
  run,
  settle,
  show,
  tokens,
  type,
} from "./rendered";

const DELETION: Which = (call) => ONE_JOB(call) && call.method === "DELETE";
const RESTORE: Which = ({ path }) => path.endsWith("/restore");
/** Requests for all jobs, whatever page they are on. */
const ALL_MATCHING: Which = (call) => LIST(call) && call.query.page_size === "100";
const ERASE: Which = ({ method, path }) => method === "DELETE" && path === "/jobs";

const refresh = () => press(button("Refresh the list"));

async function remove(job: Job): Promise<void> {
  await press(button(/^Delete /, card(job)));
  await press(button("Delete job", dialog()));
}

const bar = () => screen.queryByRole("region", { name: "Selected jobs" });
const barButton = (name: string) => button(name, bar() as HTMLElement);
const checkbox = (job: Job) => within(card(job)).getByRole<HTMLInputElement>("checkbox");
const checked = (...jobs: Job[]) => jobs.map((job) => checkbox(job).checked);
const select = (job: Job) => press(checkbox(job));

/** Selects every job and deletes them. */
async function removeAll(...jobs: Job[]): Promise<void> {
  await select(jobs[0] as Job);
  await press(barButton(`Select all ${jobs.length}`));
  await press(barButton("Delete"));
  await press(button(`Delete ${jobs.length} jobs`, dialog()));
}

/** The result that the dialog shows for a job. */
const result = (job: Job) =>
  within(dialog())
    .getAllByRole("listitem")
    .find((item) => item.textContent?.includes(shortName(job.id))) as HTMLElement;

/** Takes the last deletion back. */
const undo = () => press(screen.getAllByRole("button", { name: "Undo" })[0] as HTMLElement);

test("a job goes once confirmed, before the answer, and returns if that fails", async () => {
  const [first, second, third] = functions.addMany(3) as [Job, Job, Job];
  await open();
  const opener = button(/^Delete /, card(first));
  await press(opener);
  const description = /output videos will be deleted.*7 more days/;
  screen.getByRole("alertdialog", { name: `Delete job ${shortName(first.id)}?`, description });
  expect(document.activeElement).toBe(button("Keep it", dialog()));
  await pressEscape();
  expect(screen.queryByRole("alertdialog")).toBeNull();
  expect(document.activeElement).toBe(opener);
  expect(functions.asked(ONE_JOB)).toEqual([]);

  for (const [answering, reason] of [
    [() => problem(503, "Pub/Sub is not available now."), "Pub/Sub is not available now."],
    [NO_CONNECTION, "The service cannot be reached."],
  ] as const) {
    const stop = functions.instead(ONE_JOB, answering);
    await remove(second);
    expect(messages()[0]).toContain(`Job ${shortName(second.id)} could not be deleted${reason}`);
    expect(cards()).toEqual(idsOf([first, second, third]));
    expect(counts("All", "Completed")).toEqual({ All: "3", Completed: "3" });
    screen.getByText("1–3 of 3");
    stop();
  }

  const letGo = functions.hold(ONE_JOB);
  await remove(first);
  expect(cards()).toEqual(idsOf([second, third]));
  expect(counts("All", "Completed")).toEqual({ All: "2", Completed: "2" });
  screen.getByText("1–2 of 2");
  expect(messages().join()).not.toContain(shortName(first.id));
  const lists = functions.asked(PAGE).length;
  letGo();
  await settle();
  expect(messages()[0]).toBe(`Job ${shortName(first.id)} deletedUndo`);
  expect(functions.asked(PAGE)).toHaveLength(lists + 1); // others may move up
  expect(cards()).toEqual(idsOf([second, third]));
  expect(counts("All", "Completed")).toEqual({ All: "2", Completed: "2" });

  // It is deleted elsewhere meanwhile, so nothing can be undone here.
  functions.jobs = functions.jobs.filter((job) => job !== third);
  await remove(third);
  expect(messages()[0]).toBe(`Job ${shortName(third.id)} deleted`);
  expect(cards()).toEqual(idsOf([second]));
});

test("the focus moves to the next job, or else to the previous one, and to the heading after the last", async () => {
  const [first, second, third, last] = functions.addMany(4, { status: "failed" }) as [Job, Job, Job, Job];
  await open();
  for (const [gone, neighbour] of [
    [first, second],
    [third, last],
    [last, second],
  ] as const) {
    await remove(gone);
    expect(document.activeElement).toBe(card(neighbour));
  }
  await remove(second);
  screen.getByRole("heading", { name: "No videos yet" });
  expect(document.activeElement).toBe(screen.getByRole("heading", { name: "Jobs" }));
  expect(counts("All", "Failed")).toEqual({ All: "0", Failed: "0" });
});

test("a list whose jobs are not counted has one less, and an emptied last page leads to the previous one", async () => {
  const jobs = functions.addMany(42);
  await open("?type=animate");
  screen.getByText("1–20 of 42");
  await press(button("Next"));
  screen.getByText("21–40 of 42");
  await remove(jobs[20] as Job);
  expect(cards()).toEqual(idsOf(jobs.slice(21, 41)));
  screen.getByText("21–40 of 41");
  // The cursor of the last page carries the total of the first, which no counts correct.
  await press(button("Next"));
  screen.getByText("41–41 of 41");
  await remove(jobs[41] as Job);
  expect(cards()).toEqual(idsOf(jobs.slice(21, 41)));
  screen.getByText("21–40 of 40");
});

test("the last page stays until its only job is deleted", async () => {
  const jobs = functions.addMany(21, { status: "failed" });
  const last = jobs[20] as Job;
  await open("?page=2");
  for (const fails of [true, false]) {
    const letGo = functions.hold(ONE_JOB);
    await remove(last);
    expect(counts("All")).toEqual({ All: "20" });
    expect(cards()).toEqual([]);
    expect(location.search).toBe("?page=2");
    letGo(fails ? () => problem(503, "Pub/Sub is not available now.") : undefined);
    await settle();
    if (!fails) continue;
    expect(cards()).toEqual([last.id]);
    screen.getByText("21–21 of 21");
    expect(location.search).toBe("?page=2");
  }
  expect(cards()).toEqual(idsOf(jobs.slice(0, 20)));
  expect(location.search).toBe("");
});

test("a deleted job is subtracted once, even if an older list has it", async () => {
  const [gone, kept] = functions.addMany(2) as [Job, Job];
  await open();
  for (const label of ["Completed", "All"]) await press(filter(label));
  await remove(gone);
  expect(counts("All", "Completed")).toEqual({ All: "1", Completed: "1" });

  const letGo = functions.hold(LIST);
  await press(filter("Completed"));
  expect(filter("Completed").getAttribute("aria-pressed")).toBe("true");
  expect(cards()).toEqual([kept.id]);
  screen.getByText("1–1 of 1");
  expect(counts("All", "Completed")).toEqual({ All: "1", Completed: "1" });
  letGo();
  await settle();
  expect(counts("All", "Completed")).toEqual({ All: "1", Completed: "1" });
});

test("all jobs are selected and deselected, also by changing the filter, and after a whole page others move up", async () => {
  const jobs = functions.addMany(21, { status: "failed" });
  const [first, ...others] = jobs.slice(0, 20) as [Job, ...Job[]];
  await open();
  await select(first);
  await press(barButton("Select all 20"));
  within(bar() as HTMLElement).getByText("20 selected");
  expect(checked(first, ...others)).not.toContain(false);
  await press(barButton("Clear"));
  expect(bar()).toBeNull();
  expect(checked(first, ...others)).not.toContain(true);
  await select(first);
  await press(filter("Failed"));
  expect(checked(first)).toEqual([false]);
  expect(bar()).toBeNull();
  await press(filter("All"));

  await removeAll(first, ...others);
  expect(cards()).toEqual(idsOf(jobs.slice(20)));
  expect(announced()).not.toContain("new job");
  expect(document.querySelector("li.animate-arrive")).toBeNull();
});

test("all that match are selected, also those that came back, unless the user has done something else", async () => {
  const oldest = functions.add();
  const [newest] = functions.addMany(20) as [Job];
  const selectMatching = () => button("Select all 21 that match");
  await open("?page=2");
  await remove(oldest);
  await undo();
  await run(3);
  expect(messages()[0]).toBe(`Job ${shortName(oldest.id)} restored`);
  await press(filter("All"));
  await select(newest);
  await press(selectMatching());
  within(bar() as HTMLElement).getByText("21 selected");
  expect(announced()).toBe("21 selected.");

  await press(barButton("Clear"));
  await select(newest);
  const letGo = functions.hold(ALL_MATCHING);
  await press(selectMatching());
  await press(barButton("Clear"));
  await select(newest);
  letGo();
  await settle();
  within(bar() as HTMLElement).getByText("1 selected");
  expect(barButton("Select all 21 that match").getAttribute("aria-disabled")).toBe("false");
  expect(announced()).toBe("The selection has changed meanwhile. The jobs that match were not selected.");
});

test("a selected job that a new one pushes off the page is deselected, and the page says so", async () => {
  const jobs = functions.addMany(20);
  const [first, last] = [jobs[0], jobs[19]] as [Job, Job];
  await open();
  await select(first);
  await select(last);
  const added = functions.add({ status: "failed" });
  await refresh();
  expect(messages()).toEqual([`No longer on this page, and no longer selected${shortName(last.id)}`]);
  within(bar() as HTMLElement).getByText("1 selected");
  await remove(added);
  expect(checked(first, last)).toEqual([true, false]);
});

test("each result is shown while other deletions wait, and jobs that come back are not selected", async () => {
  const [slow, quick] = functions.addMany(2, { status: "failed" }) as [Job, Job];
  await open();
  const letGo = functions.hold((call) => DELETION(call) && call.path.endsWith(slow.id));
  await removeAll(slow, quick);
  expect(result(quick).textContent).toContain("Deleted");
  within(result(slow)).getByLabelText("Being deleted");
  expect(cards()).toEqual([]);
  letGo();
  await settle();
  expect(messages()[0]).toContain("2 jobs deleted");

  await undo();
  await run(3);
  expect(messages()[0]).toContain("2 jobs restored");
  expect(cards()).toEqual(idsOf([slow, quick]));
  expect(checked(slow, quick)).toEqual([false, false]);
  expect(bar()).toBeNull();
});

test("the dialog says which deletions failed and why, and tries them again", async () => {
  const [first, refused, last] = functions.addMany(3, { status: "failed" }) as [Job, Job, Job];
  await open();
  const reason = "Pub/Sub is not available now.";
  const stop = functions.refuse((call) => DELETION(call) && call.path.endsWith(refused.id), 503, reason);
  await removeAll(first, refused, last);
  expect(result(refused).textContent).toContain(reason);
  for (const job of [first, last]) expect(result(job).textContent).toContain("Deleted");
  expect(messages()[0]).toBe(`1 of 3 jobs could not be deleted${shortName(refused.id)}Undo the others`);
  expect(cards()).toEqual([refused.id]);

  stop();
  await press(button("Try the failed job again", dialog()));
  expect(screen.queryByRole("alertdialog")).toBeNull();
  screen.getByRole("heading", { name: "No videos yet" });
  const deletions = functions.asked(DELETION).map(({ path }) => path.split("/")[2]);
  expect(deletions.sort()).toEqual(idsOf([first, refused, refused, last]).sort());
});

test("Undo brings the job back to its place at once, or says why not", async () => {
  const [first, job, last] = functions.addMany(3) as [Job, Job, Job];
  await open();
  await remove(job);
  const letGo = functions.hold(RESTORE);
  await undo();
  expect(cards()).toEqual(idsOf([first, job, last]));
  expect(counts("All", "Completed")).toEqual({ All: "3", Completed: "3" });
  const gone = "The job's files are gone for good, so it can no longer be restored.";
  letGo(() => problem(410, gone));
  await settle();
  expect(messages()).toContain(`Job ${shortName(job.id)} could not be restored${gone}`);
  expect(cards()).toEqual(idsOf([first, last]));
  expect(counts("All", "Completed")).toEqual({ All: "2", Completed: "2" });

  await remove(first);
  await undo();
  await run(3);
  expect(messages()).toContain(`Job ${shortName(first.id)} restored`);
  expect(cards()).toEqual(idsOf([first, last]));
  expect(counts("All", "Completed")).toEqual({ All: "2", Completed: "2" });
});

test("a deletion waits for the answer to Undo, or until the page is left", async () => {
  const [first, job] = functions.addMany(2) as [Job, Job];
  await open();
  for (const leave of [false, true]) {
    await remove(job);
    const letGo = functions.hold(RESTORE, { answered: true });
    await undo();
    expect(idsOf(functions.jobs)).toContain(job.id);
    await remove(job);
    await refresh();
    const before = functions.asked(DELETION).length;
    expect(cards()).toEqual([first.id]);
    expect(idsOf(functions.jobs)).toContain(job.id);
    if (leave) dispatchEvent(new Event("pagehide"));
    else letGo();
    await settle();
    expect(functions.asked(DELETION)).toHaveLength(before + 1);
    expect(idsOf(functions.jobs)).toEqual([first.id]);
    if (leave) return letGo();
    await undo();
    await run(3);
  }
});

test("a job that is restored elsewhere is shown again", async () => {
  const [first, job] = functions.addMany(2) as [Job, Job];
  await open();
  await remove(job);
  await run(1);
  await functions.fetch(`https://api.nuumee.test/jobs/${job.id}/restore`, { method: "POST" });
  await refresh();
  expect(cards()).toEqual(idsOf([first, job]));
});

test("others move up while jobs are being restored, and a hidden page does not ask for these", async () => {
  functions.remove(...functions.addMany(21));
  const deleted = functions.trash as unknown as Job[];
  await open("?deleted=true");
  functions.hold(POLL); // so that the page does not know that they are back
  await select(deleted[0] as Job);
  await press(barButton("Select all 20"));
  await press(barButton("Restore"));
  expect(cards()).toEqual(idsOf(deleted.slice(20)));
  await show("hidden");
  const asked = functions.asked(LIST).length;
  await run(60);
  expect(functions.asked(LIST)).toHaveLength(asked);
  const polls = functions.asked(POLL).length;
  await show("visible");
  await run(1);
  expect(functions.asked(POLL).length).toBeGreaterThan(polls);
});

test("an old trash is loaded again when its user comes back", async () => {
  functions.remove(functions.add());
  await open("?deleted=true");
  expect(cards()).toHaveLength(1);
  await show("hidden");
  functions.remove(functions.add());
  await run(31);
  await show("visible");
  expect(cards()).toEqual(idsOf(functions.trash));
  expect(cards()).toHaveLength(2);
});

test("a trash whose jobs were all restored is empty, and the jobs are counted again", async () => {
  functions.remove(functions.add(), functions.add({ status: "failed" }));
  const [one] = functions.trash as unknown as [Job];
  await open("?deleted=true");
  expect(counts("All", "Completed", "Failed")).toEqual({ All: "0", Completed: "0", Failed: "0" });
  await select(one);
  await press(barButton("Select all 2"));
  await press(barButton("Restore"));
  screen.getByRole("heading", { name: "The trash is empty" });
  const back = { All: "2", Completed: "1", Failed: "1" };
  expect(counts("All", "Completed", "Failed")).toEqual(back);
  await run(3);
  expect(messages()[0]).toContain("2 jobs restored");
  expect(counts("All", "Completed", "Failed")).toEqual(back);
  await press(filter("All"));
  expect(cards()).toEqual(idsOf(functions.jobs).reverse());
  expect(counts("All", "Completed", "Failed")).toEqual(back);
});

async function eraseEverything(): Promise<void> {
  await press(within(screen.getByRole("banner")).getByRole("button"));
  await press(screen.getByRole("menuitem", { name: "Erase everything" }));
  await type(within(dialog()).getByLabelText(/to confirm$/), "erase everything");
  await press(button("Erase everything", dialog()));
}

test("the progress of an erasure is shown again when the page is opened while it runs", async () => {
  functions.add();
  functions.erasure = { state: "done", jobs: 1, deleted: 1 }; // an earlier one
  functions.instead(ERASE, (_, usual) => {
    const answer = usual();
    functions.erasure = { state: "pending", jobs: 1_000, deleted: 200 };
    return answer;
  });
  await open();
  await eraseEverything();
  screen.getByText("200 of 1000");

  functions.erasure = { state: "pending", jobs: 1_000, deleted: 600 };
  await open();
  screen.getByText("600 of 1000");
  expect(screen.getByRole<HTMLProgressElement>("progressbar", { name: "Deleted so far" }).value).toBe(600);
  functions.erasure = { state: "done", jobs: 1_000, deleted: 1_001 };
  await run(5);
  screen.getByText(/^All your 1001 jobs are deleted\./);
  expect(Object.keys(localStorage).filter((key) => key.startsWith("erasing:"))).toEqual([]);
  await open();
  expect(screen.queryByText(/jobs are deleted/)).toBeNull();
});

test("who closes the dialog before the answer is told that an erasure was refused", async () => {
  functions.add();
  const letGo = functions.hold(ERASE);
  await open();
  await eraseEverything();
  await pressEscape();
  expect(screen.queryByRole("alertdialog")).toBeNull();
  letGo(() => problem(503, "Firestore is not available now."));
  await settle();
  expect(messages()).toEqual(["The request to erase everything failedFirestore is not available now."]);
});

test("who keeps everything while signing in again keeps it", async () => {
  functions.add();
  functions.instead(ERASE, () => ({
    status: 401,
    body: { type: "https://nuumee.ai/problems/sign-in-too-old", detail: "Please sign in again." },
  }));
  let signIn: () => void = () => undefined;
  vi.spyOn(firebase, "signInAgain").mockReturnValue(new Promise((resolve) => (signIn = resolve)));
  await open();
  await eraseEverything();
  await type(within(dialog()).getByLabelText("Password"), "password{Enter}");
  expect(firebase.signInAgain).toHaveBeenCalledWith("password");
  const asked = functions.asked(ERASE).length;
  await press(button("Keep everything", dialog()));
  expect(screen.queryByRole("alertdialog")).toBeNull();
  signIn();
  await run(5);
  expect(functions.asked(ERASE)).toHaveLength(asked);
});

// The last one: the page ends its session only once.
test("a session that ends midway leads to sign-in, once each deletion was sent again with a new token", async () => {
  const jobs = functions.addMany(2) as [Job, Job];
  const leave = vi.spyOn(location, "replace").mockReturnValue();
  functions.refuse(DELETION, 401, "The session has ended.");
  await open();
  await removeAll(...jobs);
  await run(2);
  expect(leave).toHaveBeenCalledWith("/sign-in/?reason=revoked&next=%2Fjobs%2F");
  const deletions = functions.asked(DELETION).map(({ path }) => path.split("/")[2]);
  const times = jobs.map(({ id }) => deletions.filter((one) => one === id).length);
  expect(Math.min(...times)).toBeGreaterThan(0);
  expect(Math.max(...times)).toBe(2);
  expect(tokens).toEqual([true]);
  expect(functions.jobs).toHaveLength(2);
});
