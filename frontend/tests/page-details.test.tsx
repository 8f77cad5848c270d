// @vitest-environment happy-dom
/** A job's details: what they show, their address, and the name and the share link that they give the job. */

import { screen, within } from "@testing-library/dom";
import { expect, test, vi } from "vitest";
import { type Job, shortName } from "@/lib/job";
import { NO_CONNECTION, ONE_JOB, POLL, type Which } from "./fake-functions";
import {
  announced,
  button,
  card,
  cards,
  counts,
  dialog,
  doing,
  filter,
  functions,
  goBack,
  idsOf,
  messages,
  open,
  press,
  pressEscape,
  run,
  settle,
  type,
  user,
} from "./rendered";

const SHARE: Which = ({ path }) => path.endsWith("/share");
const MEDIA = ["reference image", "source video", "output video"];
const SHARED = { share_url: "https://nuumee.test/v/first" };

const pressEnter = () => doing(() => user.keyboard("{Enter}"));
const openDetails = (job: Job) => press(button(/^Details /, card(job)));
const dialogs = () => document.querySelectorAll("[role$=dialog]").length;
const title = () => within(dialog()).getByRole("heading").textContent;
const status = () => within(dialog()).getAllByRole("definition")[0]?.textContent;
const focused = () => document.activeElement;

test("everything about a job is shown at an address of its own, and after a reload the title gets the focus", async () => {
  const job = functions.add({
    ...{ job_type: "extend", resolution: "480p", credits_charged: 4, ...SHARED },
    ...{ created_at: "2026-03-01T09:05:00Z", completed_at: "2026-03-01T09:12:00Z" },
  });
  await open();
  await openDetails(job);
  expect(location.search).toBe(`?job=${job.id}`);
  expect(title()).toBe(`Extension ${shortName(job.id)}`);
  const [names, facts] = ["term", "definition"].map((role) =>
    within(dialog())
      .getAllByRole(role)
      .map((element) => element.textContent?.replace("\u202f", " ") ?? ""),
  ) as [string[], string[]];
  expect(Object.fromEntries(names.map((name, place) => [name, facts[place]]))).toEqual({
    Status: "Completed",
    "Video type": "Extension",
    Resolution: "480p",
    "Credits used": "4 credits",
    Created: "Mar 1, 2026, 9:05 AM",
    Completed: "Mar 1, 2026, 9:12 AM",
    Views: "No views yet",
    "Job id": job.id,
  });
  for (const medium of MEDIA) button(new RegExp(`^Preview the ${medium}`), dialog());
  for (const action of [/^Download job/, /^Copy link for job/]) button(action, dialog());

  await open(location.search);
  expect(title()).toBe(`Extension ${shortName(job.id)}`);
  await pressEscape();
  expect(location.search).toBe("");
  expect(cards()).toEqual([job.id]);
  expect(focused()).toBe(screen.getByRole("heading", { name: "Jobs" }));
});

test("a job on a later page is opened by its address, and one that is unknown is said not to exist", async () => {
  const oldest = functions.add();
  const others = functions.addMany(20, { media: null as never });
  await open(`?job=${oldest.id}`);
  const picture = button(/^Preview the reference/, dialog()).querySelector("img");
  expect(picture?.src).toContain(oldest.id);
  expect(cards()).toEqual(idsOf(others));
  await pressEscape();
  expect(dialogs()).toBe(0);
  expect(location.search).toBe("");

  functions.jobs = [];
  await open(`?job=${oldest.id}`);
  within(dialog()).getByText("There is no such job.");
});

test("a job that the list does not show is polled together with those that it shows", async () => {
  const elsewhere = functions.add({ status: "processing" });
  const here = functions.add({ status: "queued" });
  await open(`?status=queued&job=${elsewhere.id}`);
  expect(status()).toContain("Processing");
  expect(within(dialog()).queryByRole("button", { name: /^Preview the output video/ })).toBeNull();
  Object.assign(elsewhere, { status: "completed", completed_at: "2026-11-26T12:00:05Z" });
  await run(10);
  const asked = () => functions.asked(POLL).at(-1)?.query.ids?.split(",").sort();
  expect(asked()).toEqual(idsOf([elsewhere, here]));
  expect(status()).toBe("Completed");
  button(/^Preview the output video/, dialog());
  button(/^Download/, dialog());
  expect(announced()).toBe(`Job ${shortName(elsewhere.id)} is now completed.`);

  // The job is finished, so only the other one is polled.
  await run(10);
  expect(asked()).toEqual([here.id]);
  await pressEscape();
  const expected = { Processing: "0", Completed: "1", Queued: "1" };
  expect(counts("Processing", "Completed", "Queued")).toEqual(expected);
});

test("details go on loading while jobs of the list are polled", async () => {
  const elsewhere = functions.add();
  const here = functions.add({ status: "queued" });
  const letGo = functions.hold((call) => POLL(call) && String(call.query.ids).includes(elsewhere.id));
  await open(`?status=queued,processing&job=${elsewhere.id}`);
  expect(functions.asked(POLL)).toHaveLength(1);
  here.status = "processing";
  await run(11);
  expect(card(here).textContent).toContain("Processing");
  letGo();
  await settle();
  expect(status()).toContain("Completed");
});

test("details show the media that came with them", async () => {
  const source = functions.add({ status: "processing" });
  const job = functions.add({ status: "failed", source_job_id: source.id });
  await open();
  source.status = "completed";
  await press(filter("Failed"));
  expect(cards()).toEqual([job.id]);
  await openDetails(job);
  await press(within(dialog()).getByRole("link", { name: `Job ${shortName(source.id)}` }));
  expect(title()).toBe(`Animation ${shortName(source.id)}`);
  button(/^Preview the output video/, dialog());
});

test("Back closes the details and the preview above them, which does not come back with them", async () => {
  const job = functions.add();
  await open();
  await openDetails(job);
  await press(button(/^Preview the output video/, dialog()));
  expect(dialogs()).toBe(2);
  await goBack();
  expect(dialogs()).toBe(0);
  await openDetails(job);
  expect(dialogs()).toBe(1);
});

const nameField = () => within(dialog()).getByRole<HTMLInputElement>("textbox", { name: "Name of the job" });
const rename = () => button(/^Rename job/, dialog());
const alert = () => within(dialog()).queryByRole("alert")?.textContent;

test("a name is given and taken, and Escape leaves it as it was", async () => {
  const job = functions.add();
  await open();
  await openDetails(job);
  within(dialog()).getByText("This job has no name.");
  await press(rename());
  expect(focused()).toBe(nameField());
  await doing(() => user.keyboard("left as it was{Escape}"));
  expect(focused()).toBe(rename());
  within(dialog()).getByText("This job has no name.");
  await pressEnter();
  expect(nameField().value).toBe("");
  await doing(() => user.keyboard("  Tür 1/2 {Enter}"));
  expect(focused()).toBe(rename());
  expect(title()).toBe(`Tür 1/2 ${shortName(job.id)}`);
  expect(messages()).toEqual([`Job ${shortName(job.id)} is now called “Tür 1/2”`]);
  await pressEscape();
  const heading = () => within(card(job)).getByRole("heading").textContent;
  expect(heading()).toBe("Tür 1/2Completed");
  expect(card(job).textContent).toContain("Animation");

  await open();
  await openDetails(job);
  await press(rename());
  expect(nameField().value).toBe("Tür 1/2");
  await doing(() => user.keyboard("{Delete}{Enter}")); // all of it is selected
  within(dialog()).getByText("This job has no name.");
  await pressEscape();
  expect(heading()).toBe("AnimationCompleted");
});

test("a name that could not be saved stays in the field with the reason, until it is changed or left", async () => {
  const job = functions.add({ media: null as never });
  functions.add({ status: "failed" });
  await open(`?status=failed&job=${job.id}`); // the list does not show it
  const refused = functions.refuse(ONE_JOB, 503, "Firestore cannot be reached.");
  await press(rename());
  await type(nameField(), "First{Enter}");
  expect(alert()).toBe("Firestore cannot be reached.");
  expect(nameField().value).toBe("First");
  expect(focused()).toBe(nameField());
  expect(nameField().getAttribute("aria-invalid")).toBe("true");
  expect(messages()[0]).toContain(`Job ${shortName(job.id)} could not be renamed`);
  await type(nameField(), "!");
  expect(alert()).toBeUndefined();
  await press(button("Save", dialog()));
  expect(alert()).toBe("Firestore cannot be reached.");
  expect(focused()).toBe(nameField());
  await press(button("Cancel", dialog()));
  expect(focused()).toBe(rename());
  within(dialog()).getByText("This job has no name.");

  refused();
  await press(rename());
  await type(nameField(), "Second{Enter}");
  expect(title()).toBe(`Second ${shortName(job.id)}`);
});

test("a poll that was asked before the name was saved does not bring the old one back", async () => {
  const job = functions.add({ status: "processing" });
  await open();
  await openDetails(job);
  await press(rename());
  job.status = "failed"; // so no poll follows this one
  const letGo = functions.hold(POLL, { answered: true });
  await run(10);
  expect(functions.asked(POLL)).toHaveLength(1);
  await type(nameField(), "First try{Enter}");
  const heading = () => card(job).querySelector("h2")?.textContent;
  expect(heading()).toBe("First tryProcessing");
  letGo();
  await settle();
  expect(heading()).toBe("First tryFailed");
});

test("a name that is being typed stays when the list no longer has the job", async () => {
  const job = functions.add({ status: "failed" });
  await open("?status=failed");
  await openDetails(job);
  await press(rename());
  await type(nameField(), "First");
  job.status = "completed";
  const added = functions.add({ status: "failed" });
  await run(60);
  expect(cards()).toEqual([added.id]);
  expect(status()).toBe("Completed");
  expect(nameField().value).toBe("First");
});

const link = () => within(dialog()).getByRole("region", { name: "Share link" });
const linkStatus = () => within(link()).getByRole("status").textContent;
const linkButton = (action: string) => button(new RegExp(`^${action} link for job`), link());
const NONE = "This job has no share link. Only you can watch the video.";

async function endLink(): Promise<void> {
  await press(linkButton("End"));
  await press(button("End link", dialog()));
}

const shareMethods = () => functions.asked(SHARE).map(({ method }) => method);

test("a link is kept, or ended and replaced by one to copy, and a job that is not completed has none", async () => {
  const job = functions.add(SHARED);
  const unfinished = functions.add({ status: "processing" });
  const copied = vi.spyOn(navigator.clipboard, "writeText");
  await open();
  await openDetails(job);
  for (const answer of [pressEscape, pressEnter]) {
    await press(linkButton("End"));
    const description = /can never be restored/;
    screen.getByRole("alertdialog", { name: `End the link for job ${shortName(job.id)}?`, description });
    expect(focused()).toBe(button("Keep it", dialog()));
    await answer();
    expect(dialogs()).toBe(1);
    expect(focused()).toBe(linkButton("End"));
  }
  expect(linkStatus()).toContain(SHARED.share_url);
  expect(shareMethods()).toEqual([]);
  await endLink();
  expect(linkStatus()).toBe(NONE);
  expect(messages()[0]).toBe(`The link for job ${shortName(job.id)} has ended`);
  expect(focused()).toBe(linkButton("New"));
  expect(shareMethods()).toEqual(["DELETE"]);

  await pressEscape();
  const asked = functions.calls.length;
  await press(button(/^Copy link/, card(job)));
  expect(messages()[0]).toContain("This job has no share link");
  expect(functions.calls).toHaveLength(asked);
  await open();
  await openDetails(job);
  expect(linkStatus()).toBe(NONE);

  await press(linkButton("New"));
  expect(focused()).toBe(linkButton("End"));
  expect(job.share_url).not.toBeNull();
  expect(linkStatus()).toContain(job.share_url);
  expect(messages()[0]).toBe(`Job ${shortName(job.id)} has a new link${job.share_url}`);
  expect(shareMethods()).toEqual(["DELETE", "POST"]);
  await pressEscape();
  await press(button(/^Copy link/, card(job)));
  expect(messages()).toContain(`Link copied${job.share_url}End date`);
  expect(copied).toHaveBeenLastCalledWith(job.share_url);

  await openDetails(unfinished);
  within(dialog()).getByText("Video type");
  expect(within(dialog()).queryByRole("region", { name: "Share link" })).toBeNull();
});

test("the link of a job that the list does not show changes in its details", async () => {
  const elsewhere = functions.add(SHARED);
  functions.add({ status: "failed" });
  await open(`?status=failed&job=${elsewhere.id}`);
  await endLink();
  expect(linkStatus()).toBe(NONE);
  await press(linkButton("New"));
  expect(linkStatus()).toContain("Anyone with this link");
  expect(linkStatus()).toContain(elsewhere.share_url);
  expect(elsewhere.share_url).not.toBe(SHARED.share_url);
});

test("a failed change says why, leaves the link unchanged and can be retried", async () => {
  const [offline, shared, bare] = [functions.add(SHARED), functions.add(SHARED), functions.add()];
  const reason = "The job has not been completed.";
  await open();
  const linkAlert = () => within(link()).queryByRole("alert")?.textContent;
  for (const [job, change, after] of [
    [shared, endLink, "New"],
    [bare, () => press(linkButton("New")), "End"],
  ] as const) {
    const stop = functions.refuse(SHARE, 409, reason);
    await openDetails(job);
    await change();
    expect(linkAlert()).toBe(reason);
    expect(messages()[0]).toBe(`The link for job ${shortName(job.id)} could not be changed${reason}`);
    stop();
    await change();
    linkButton(after);
    expect(linkAlert()).toBeUndefined();
    await pressEscape();
  }
  functions.instead(SHARE, NO_CONNECTION);
  await openDetails(offline);
  await endLink();
  expect(linkAlert()).toContain("The service cannot be reached.");
  expect(linkStatus()).toContain(SHARED.share_url);
});

test("the share page shows the name if its owner wishes", async () => {
  const [named, other] = [functions.add({ ...SHARED, name: "First try" }), functions.add(SHARED)];
  const box = () => within(link()).queryByRole<HTMLInputElement>("checkbox");
  await open();
  await openDetails(other);
  expect(box()).toBeNull();
  await pressEscape();
  await openDetails(named);
  expect(box()?.checked).toBe(false);
  await press(within(link()).getByRole("checkbox", { name: "Show the name on the share page" }));
  expect(box()?.checked).toBe(true);
  expect(messages()[0]).toBe(`The share page of job ${shortName(named.id)} shows its name`);
  expect(named.share_name).toBe(true);
  await press(rename());
  await doing(() => user.keyboard("Second{Enter}"));
  expect(messages()[0]).toContain("is now called “Second”, on its share page too");
});

test("an end date is chosen from the message without leaving what is shown", async () => {
  const job = functions.add(SHARED);
  functions.add({ status: "failed" });
  await open();
  await press(button(/^Copy link/, card(job)));
  expect(messages()[0]).toContain("Link copied");
  await press(filter("Failed"));
  expect(cards()).toHaveLength(1);
  await press(button("End date"));
  expect(title()).toBe(`Animation ${shortName(job.id)}`);
  expect(location.search).toBe(`?status=failed&job=${job.id}`);
});
