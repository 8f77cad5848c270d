// @vitest-environment happy-dom
/** What a job's card shows and does, and how jobs are found and appear. */

import { screen, within } from "@testing-library/dom";
import { expect, test, vi } from "vitest";
import { LIST, LOOK, NO_CONNECTION, POLL, problem, THUMBNAILS, type Which } from "./fake-functions";
import {
  announced,
  arrive,
  button,
  card,
  cards,
  counts,
  dialog,
  doing,
  fail,
  filter,
  functions,
  goBack,
  idsOf,
  messages,
  open,
  press,
  pressEscape,
  run,
  search,
  shown,
  tile,
  tiles,
  type,
  user,
} from "./rendered";

const MINUTE = 60;
const OUTPUT: Which = ({ path }) => path.endsWith("/output");
const ago = (seconds: number) => new Date(Date.now() - 1000 * seconds).toISOString();
const names = (buttons: HTMLElement[]) => buttons.map((one) => one.getAttribute("aria-label") ?? "");
const actions = (job: { id: string }) =>
  names(within(card(job)).getAllByRole("button"))
    .filter((name) => !name.startsWith("Preview"))
    .map((name) => name.replace(/ (of |for )?job .*/, ""));
const action = (job: { id: string }, name: string) => button(new RegExp(`^${name} `), card(job));
const labelOf = ({ status }: { status: string | null }) =>
  String(status).replace(/^./, (first) => first.toUpperCase());
const heading = (job: { id: string }) => within(card(job)).getByRole("heading").textContent;
const elapsed = (job: { id: string }) =>
  within(card(job))
    .queryAllByTestId("elapsed")
    .map((one) => one.textContent);
const broken = (job: { id: string }) => within(card(job)).queryAllByText("Not available");
/** Notes the frames with which the browser saves files, instead of loading them. */
const noteFrames = () => vi.spyOn(document.body, "append").mockImplementation(() => undefined);
/** The messages that contain this. */
const told = (text: string) => messages().filter((message) => message?.includes(text));

test("jobs of all statuses have their parts and can be deleted", async () => {
  const statuses = ["pending", "queued", "processing", "watermarking", "completed", "failed"];
  const jobs = statuses.map((status) => functions.add({ status }));
  await open();
  for (const job of jobs) {
    const status = String(job.status);
    const label = labelOf(job);
    const done = status === "completed";
    expect(heading(job)).toBe(`Animation${label}`);
    const media = names(tiles(job)).map((name) => name.replace(/Preview the (.*) of job .*/, "$1"));
    expect(media).toEqual(["reference image", "source video", ...(done ? ["output video"] : [])]);
    expect(actions(job)).toEqual(["Details", ...(done ? ["Download", "Copy link"] : []), "Delete"]);
    expect(elapsed(job)).toHaveLength(done || status === "failed" ? 0 : 1);
  }
  for (const job of jobs) {
    await press(action(job, "Delete"));
    await press(button("Delete job", dialog()));
    await run(1);
    expect(told(`Job ${job.id.slice(0, 8)} deleted`)).toHaveLength(1);
    expect(cards()).not.toContain(job.id);
    if (job.status === "watermarking") expect(screen.queryByRole("button", { name: /^Other/ })).toBeNull();
    else expect(counts(labelOf(job))).toEqual({ [labelOf(job)]: "0" });
  }
  screen.getByRole("heading", { name: "No videos yet" });
});

test("a card shows its job's facts or failure and nothing odd for missing values or strange types", async () => {
  const none = { job_type: null, resolution: null, credits_charged: null };
  const facts = { job_type: "upscale", resolution: "480p", credits_charged: 1 };
  const full = functions.add({ ...facts, created_at: ago(121 * MINUTE) });
  const bare = functions.add({ ...none, status: "archived", media: null as never });
  const told = functions.add({
    status: "failed",
    error_message: "The motion video has no person in it: xxx",
  });
  const untold = functions.add({ status: "failed", error_message: null });
  // Names of built-in JavaScript properties cause no harm.
  const strange = ["__proto__", "constructor"].map((job_type) => functions.add({ job_type }));
  await open();
  expect(heading(full)).toBe("UpscaleCompleted");
  for (const text of [full.id, "480p", "1 credit"]) within(card(full)).getByText(text);
  const age = within(card(full)).getByText("2 hr. ago");
  await doing(() => user.hover(age));
  expect(age.title).toMatch(/\w+ \d+, \d{4}, \d+:\d\d.[AP]M/);
  expect(heading(bare)).toBe("VideoArchived");
  expect(broken(bare)).toHaveLength(2);
  expect(card(bare).textContent).not.toMatch(/null|undefined|NaN|credit/i);
  expect(actions(bare)).toEqual(["Details", "Delete"]);
  within(card(told)).getByText("The motion video has no person in it: xxx");
  within(card(untold)).getByText(/no reason was recorded/);
  for (const job of strange) {
    expect(heading(job)).toBe("VideoCompleted");
    await press(action(job, "Details"));
    screen.getByRole("dialog", { name: `Video ${job.id.slice(0, 8)}` });
    await pressEscape();
    expect(dialog()).toBeUndefined();
  }
});

test("elapsed time updates each second without requests", async () => {
  const since = { processing: 62.5 * MINUTE, queued: 2.5 * MINUTE, watermarking: 2.5 * MINUTE, pending: 0 };
  const jobs = Object.entries(since).map(([status, seconds]) =>
    functions.add({ status, created_at: ago(seconds) }),
  );
  await open();
  const asked = functions.calls.length;
  for (const seconds of [0, 1, 2]) {
    expect(jobs.flatMap(elapsed)).toEqual([
      `Processing... 1h 2m ${30 + seconds}s`,
      `Queued... 2m ${30 + seconds}s`,
      `Watermarking... 2m ${30 + seconds}s`,
      `Pending... ${seconds}s`,
    ]);
    await run(1);
  }
  expect(functions.calls).toHaveLength(asked);
});

test("a card says what is usual and what takes longer and what has stalled", async () => {
  const kind = { resolution: "1080p" };
  for (const minutes of [2, 3, 3, 4, 4])
    functions.add({ ...kind, created_at: ago(120 * MINUTE), completed_at: ago((120 - minutes) * MINUTE) });
  const long = ago(25 * 60 * MINUTE);
  const stalled = functions.add({ ...kind, status: "queued", created_at: long, updated_at: long });
  const moving = functions.add({
    ...kind,
    status: "processing",
    created_at: ago(220),
    updated_at: ago(220),
  });
  document.title = "Jobs";
  await open();
  await run(2);
  within(card(moving)).getByText("usually 2–4 min");
  within(card(stalled)).getByText("Stalled: no change for 1d 1h");
  await run(8);
  expect(functions.asked(POLL).map(({ query }) => query.ids)).toEqual([moving.id]);
  await run(20);
  within(card(moving)).getByText("Taking longer than usual");
  expect(document.title).toBe("Processing 4m 10s · Jobs");
});

test("files that arrive later replace their placeholders", async () => {
  const job = functions.add({ status: "pending", media: null as never });
  await open();
  expect(broken(job)).toHaveLength(2);
  job.media = {} as never;
  await press(button("Refresh the list"));
  const media = tiles(job).map(shown);
  expect(media.map((one) => one?.tagName)).toEqual(["IMG", "VIDEO"]);
  await arrive(...media);
  expect(tiles(job).map((one) => within(one).queryByTestId("skeleton"))).toEqual([null, null]);
  expect(broken(job)).toEqual([]);
});

test("a medium that is refused is renewed once and shown or if always refused given up", async () => {
  const [once, always] = [functions.add(), functions.add()];
  await open();
  for (const job of [once, always])
    for (const medium of ["reference image", "output video"]) {
      const refused = shown(tile(job, medium));
      await fail(refused);
      expect(shown(tile(job, medium))).not.toBe(refused);
      await (job === once ? arrive : fail)(shown(tile(job, medium)));
    }
  const renewed = () => functions.asked(THUMBNAILS).map(({ path }) => path.split("/")[2]);
  expect(renewed()).toEqual([once.id, once.id, always.id, always.id]);
  expect(broken(once)).toEqual([]);
  expect(broken(always)).toHaveLength(2);
  expect(tile(always, "reference image").textContent).toContain("The reference image is Not available");
  await press(tile(always, "reference image"));
  const large = () => within(dialog()).queryByRole("img", { name: /^Reference image/ });
  await fail(large());
  await fail(large());
  const original = within(dialog()).getByRole<HTMLAnchorElement>("link", { name: /ownload the original/ });
  expect(original.href).toContain(`/${always.id}/reference.jpg`);
});

test("where there is no poster or preview the medium itself is shown or played", async () => {
  const url = (name: string) => `https://storage.nuumee.test/${name}`;
  const posters = { reference_poster_url: url("poster.webp"), output_poster_url: url("poster.webp") };
  const [bare, without] = [functions.add(), functions.add({ media: posters as never })];
  await open();
  const names = (job: { id: string }) => tiles(job).map((one) => shown(one)?.src.replace(/.*\/|[?#].*/g, ""));
  expect(names(bare)).toEqual(["reference.jpg", "motion.mp4", "output.mp4"]);
  expect(names(without)).toEqual(["poster.webp", "motion.mp4", "poster.webp"]);
  const play = vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
  for (const job of [bare, without]) {
    const place = tile(job, "output video");
    await arrive(shown(place));
    await doing(() => user.hover(place));
    const video = place.querySelector("video");
    expect(play.mock.contexts).toEqual([video]);
    expect([video?.src, video?.muted]).toEqual([expect.stringContaining(`${job.id}/output.mp4`), true]);
    await doing(() => user.unhover(place));
    expect(place.querySelector("video") === null).toBe(job === without);
    play.mockClear();
  }
  expect(functions.asked(THUMBNAILS)).toEqual([]);
});

test("a medium that was given up is shown after the list is refreshed and keeps the focus", async () => {
  const job = functions.add();
  const stop = functions.refuse(THUMBNAILS, 503, "Firestore is not available now.");
  await open();
  const place = tile(job, "reference image");
  await fail(shown(place));
  expect(broken(job)).toHaveLength(1);
  stop();
  place.focus();
  // As when new jobs arrive: a click would move the focus.
  await doing(() => button("Refresh the list").dispatchEvent(new MouseEvent("click", { bubbles: true })));
  await arrive(shown(place));
  expect([broken(job), within(place).queryByTestId("skeleton")]).toEqual([[], null]);
  expect(document.activeElement).toBe(place);
});

test("a medium that met no connection is shown once there is one", async () => {
  const poster = "https://storage.nuumee.test/poster.webp";
  const job = functions.add({ status: "failed", media: { reference_poster_url: poster } as never });
  const stop = functions.instead(THUMBNAILS, NO_CONNECTION);
  await open();
  const place = tile(job, "reference image");
  expect(shown(place)?.src).toBe(poster);
  await fail(shown(place));
  expect(shown(place)?.src).toContain("reference.jpg");
  await fail(shown(place));
  expect(functions.times(THUMBNAILS)).toHaveLength(1);
  expect(broken(job)).toHaveLength(1);
  stop();
  await run(14); // Ten, and some at random.
  await arrive(shown(place));
  expect(broken(job)).toEqual([]);
  expect(shown(place)?.src).toBe(poster);
});

test("tiles that can be loaded listen neither to the tab nor to the connection", async () => {
  const listening = [window, document].map((target) => vi.spyOn(target, "addEventListener"));
  const heard = () =>
    listening
      .flatMap((spy) => spy.mock.calls.map(([event]) => event))
      .filter((event) => ["visibilitychange", "online", "offline"].includes(event)).length;
  functions.add();
  await open();
  const ofOne = heard();
  expect(ofOne).toBeGreaterThan(0);
  functions.addMany(4);
  for (const spy of listening) spy.mockClear();
  await open();
  expect(cards()).toHaveLength(5);
  expect(heard()).toBe(ofOne);
});

test("a failed download says why and can be retried", async () => {
  const frames = noteFrames();
  const job = functions.add();
  await open();
  const detail = "Cloud Storage does not answer. Please try again.";
  const faults = [
    [() => problem(503, detail), detail],
    [NO_CONNECTION, "The service cannot be reached. Check your connection and try again."],
  ] as const;
  const failure = `Job ${job.id.slice(0, 8)} could not be downloaded`;
  for (const [fault, reason] of faults) {
    const stop = functions.instead(OUTPUT, fault);
    await press(action(job, "Download"));
    expect(told(failure)).toEqual([failure + reason]);
    stop();
    await press(action(job, "Download"));
    await run(3);
    expect(told("Saving a.mp4")).toHaveLength(1);
    expect(told(failure)).toEqual([]);
  }
  const address = expect.stringContaining(`/${job.id}/output.mp4`);
  const [first, second] = frames.mock.calls.flat() as HTMLIFrameElement[];
  expect([first?.src, second?.src]).toEqual([address, address]);
});

test("copying a link says so, that there is none, or that the browser blocks it, and nothing else is copied", async () => {
  const without = functions.add();
  const job = functions.add({ share_url: "https://nuumee.test/v/1" });
  await open();
  const writeText = vi.spyOn(navigator.clipboard, "writeText");
  await press(action(without, "Copy link"));
  await run(1);
  expect(messages()).toEqual(["This job has no share linkYou can make one in its details."]);
  expect(writeText).not.toHaveBeenCalled();
  await press(action(job, "Copy link"));
  await run(1);
  expect(messages()).toEqual([expect.stringMatching(/^Link copiedhttps:\/\/nuumee\.test\/v\/1/)]);
  expect(writeText).toHaveBeenCalledExactlyOnceWith("https://nuumee.test/v/1");
  writeText.mockRejectedValueOnce(new DOMException("denied"));
  await press(action(job, "Copy link"));
  await run(1);
  expect(messages()).toEqual(["The browser blocked copying. Here is the link:https://nuumee.test/v/1"]);
});

test("a download and a refresh keep the focus and clearing the selection moves it to the heading", async () => {
  noteFrames();
  const job = functions.add();
  await open();
  const busy = (element: HTMLElement) => element.getAttribute("aria-disabled");
  const held = [functions.hold(OUTPUT), functions.hold(LIST)];
  for (const [place, element] of [action(job, "Download"), button("Refresh the list")].entries()) {
    element.focus();
    await doing(() => user.keyboard("{Enter}"));
    expect([busy(element), document.activeElement]).toEqual(["true", element]);
    const asked = functions.calls.length;
    await doing(() => user.keyboard("{Enter}")); // Ignored while the button is busy.
    expect(functions.calls).toHaveLength(asked);
    held[place]?.();
    await run(3);
    expect([busy(element), document.activeElement]).toEqual(["false", element]);
  }
  await press(within(card(job)).getByRole("checkbox"));
  button("Clear", screen.getByRole("region", { name: "Selected jobs" })).focus();
  await doing(() => user.keyboard("{Enter}"));
  expect(screen.queryByRole("region", { name: "Selected jobs" })).toBeNull();
  expect(document.activeElement?.id).toBe("jobs-title");
});

test("filters go together, stay in the address and can be taken away", async () => {
  const old = functions.add({ status: "failed", job_type: "extend", created_at: "2026-01-05T12:00:00Z" });
  functions.add({ status: "failed", job_type: "foley" });
  const done = functions.add({ job_type: "extend" });
  const failed = functions.add({ status: "failed", job_type: "extend" });
  await open();
  await press(button("Filter and sort"));
  for (const choice of ["Completed", "Failed", "Extension", "Oldest first"])
    await press(within(dialog()).getByLabelText(choice));
  await type(within(dialog()).getByLabelText("From"), "2026-01-06");
  await press(button("Show jobs", dialog()));
  expect(cards()).toEqual(idsOf([done, failed]));
  expect(location.search).toBe("?status=completed,failed&type=extend&from=2026-01-06&sort=oldest");
  for (const status of ["Completed", "Failed"])
    expect(filter(status).getAttribute("aria-pressed")).toBe("true");
  await open(location.search);
  expect(cards()).toEqual(idsOf([done, failed]));
  await press(button("Remove the filter Since Jan 6, 2026"));
  expect(cards()).toEqual(idsOf([old, done, failed]));
  await goBack();
  expect(cards()).toEqual(idsOf([done, failed]));
  await press(button("Remove the filter Extension"));
  await press(button("Remove the filter Failed"));
  expect(cards()).toEqual([done.id]);
  await press(button("Clear all"));
  expect(cards()).toHaveLength(4);
});

test("a search finds names and leads to ids", async () => {
  const byName = functions.add({ status: "failed", name: "Cafe noir" });
  const byId = functions.add({ status: "failed", id: "cafe-1" });
  await open();
  await type(search(), "CAFE{Enter}");
  expect(cards()).toEqual([byName.id]);
  await user.clear(search());
  await type(search(), "cafe{Enter}");
  screen.getByText(/^Jobs whose name begins with/);
  expect(cards()).toEqual([byName.id]);
  await press(button("Search ids instead"));
  expect(cards()).toEqual([byId.id]);
  expect(location.search).toBe("?q=cafe&by=id");
});

test("a link gets an end date and the shared jobs are listed", async () => {
  functions.add();
  const shared = functions.add({ share_url: "https://nuumee.test/v/1", view_count: 3 });
  await open();
  await press(filter("Shared"));
  expect(cards()).toEqual([shared.id]);
  within(card(shared)).getByText("3 views");
  await press(action(shared, "Details"));
  const end = within(dialog()).getByLabelText<HTMLSelectElement>("The link ends");
  const set = button("Set the link's end", dialog());
  expect(set.getAttribute("aria-disabled")).toBe("true");
  // By keys, a day comes before a week.
  for (const choice of ["In a day", "In a week"]) await doing(() => user.selectOptions(end, choice));
  const changes: Which = ({ method }) => method === "PATCH";
  expect(functions.asked(changes)).toEqual([]);
  await press(set);
  await run(1);
  expect(told(`The link for job ${shared.id.slice(0, 8)} ends on`)).toHaveLength(1);
  expect(functions.asked(changes).map(({ body }) => body)).toEqual([
    { expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/) },
  ]);
  expect(Date.parse(String(shared.share_expires_at)) - Date.now()).toBeCloseTo(
    1000 * 7 * 24 * 60 * MINUTE,
    -4,
  );
  expect(end.value).toMatch(/^On /);
  expect(document.activeElement).toBe(set);
});

test("finished jobs are not polled, and new ones are looked for, shown, said and then polled", async () => {
  const jobs = functions.addMany(20);
  await open();
  await run(MINUTE + 1);
  expect(functions.times(LIST)).toHaveLength(2);
  expect(functions.times(LOOK)[0]).toBeCloseTo(MINUTE, 0);
  const job = functions.add({ status: "processing" });
  await run(85);
  expect(functions.times(LIST)).toHaveLength(2);
  await run(7);
  expect(functions.times(LOOK)[1]).toBeCloseTo(2.5 * MINUTE, 0);
  expect(cards()).toEqual([job.id, ...idsOf(jobs)]);
  expect(counts("All", "Processing")).toEqual({ All: "21", Processing: "1" });
  expect(announced()).toBe("There is a new job.");
  await run(10);
  expect(functions.asked(POLL).map(({ query }) => query.ids)).toEqual([job.id]);
});

test.each([["visibilitychange"], ["pageshow"], ["visibilitychange pageshow"]])(
  "an old list is loaded again when the user comes back: %s",
  async (events) => {
    // As a browser does after another tab or, from its back/forward cache, after another page.
    const comeBack = () =>
      doing(() => {
        for (const event of events.split(" "))
          (event === "pageshow" ? window : document).dispatchEvent(new Event(event, { bubbles: true }));
      });
    const job = functions.add();
    await open();
    await run(20);
    await comeBack();
    expect(functions.asked(LIST)).toHaveLength(1);
    const another = functions.add({ status: "queued" });
    await run(10);
    await comeBack();
    expect(cards()).toEqual(idsOf([another, job]));
    expect(counts("All", "Queued")).toEqual({ All: "2", Queued: "1" });
    expect(functions.asked(LIST)).toHaveLength(2);
  },
);
