// @vitest-environment happy-dom
/** Which jobs the page lists: all, those with a status or those that are searched for, according to its address. */

import { screen, within } from "@testing-library/dom";
import { expect, test, vi } from "vitest";
import { shortName } from "@/lib/job";
import { LIST, NO_MEDIA, problem } from "./fake-functions";
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
  idsOf,
  open,
  press,
  pressEscape,
  run,
  search,
  type,
  user,
} from "./rendered";

/** Searches for a text, as with Enter. */
const find = async (text: string) => {
  await doing(() => user.clear(search()));
  await type(search(), `${text}{Enter}`);
};
const includes = () => functions.asked(LIST).map(({ query }) => query.include);
const pressed = () => [...document.querySelectorAll("[aria-pressed=true]")].map((one) => one.textContent);
const main = () => screen.getByRole("main").textContent;
const focused = () => document.activeElement?.id;

test("a page of jobs and their media is one request", async () => {
  functions.addMany(18);
  for (let number = 0; number < 3; number++) functions.add();
  await open();
  expect(cards()).toHaveLength(20);
  expect(document.querySelectorAll("img, video")).toHaveLength(9);
  expect(functions.calls.map(({ query }) => query)).toEqual([{ page_size: "20", include: "media,counts" }]);
});

test("filters show counts, which are requested once, and only the jobs of their status", async () => {
  const failed = functions.addMany(3, { status: "failed" });
  const processing = functions.addMany(2, { status: "processing" });
  functions.add({ status: "pending" });
  const labels = ["All", "Pending", "Queued", "Processing", "Completed", "Failed"];
  const all = { All: "6", Pending: "1", Queued: "0", Processing: "2", Completed: "0", Failed: "3" };
  await open();
  expect(counts(...labels)).toEqual(all);
  for (const [label, jobs] of [
    ["Failed", failed],
    ["Processing", processing],
  ] as const) {
    await press(filter(label));
    expect(cards()).toEqual(idsOf(jobs));
    expect(pressed()).toEqual([`${label}${jobs.length}`]);
    expect(counts(...labels)).toEqual(all);
  }
  await press(filter("Queued"));
  screen.getByRole("heading", { name: "No queued jobs" });
  await press(filter("All"));
  expect(cards()).toHaveLength(6);
  const [first, ...others] = includes();
  expect([first, new Set(others)]).toEqual(["media,counts", new Set(["media"])]);
});

test("counts that contradict the list are requested once more, and Refresh shows new jobs", async () => {
  functions.add({ status: "failed" });
  await open();
  const completed = functions.add();
  await press(filter("Completed"));
  expect(cards()).toEqual([completed.id]);
  expect(counts("All", "Completed", "Failed")).toEqual({ All: "2", Completed: "1", Failed: "1" });
  expect(includes()).toEqual(["media,counts", "media", "media,counts"]);

  const newer = functions.add();
  await press(button("Refresh the list"));
  expect(cards()).toEqual(idsOf([newer, completed]));
  expect(counts("All", "Completed", "Failed")).toEqual({ All: "3", Completed: "2", Failed: "1" });
  screen.getByText("1–2 of 2");
});

test("counts are requested again after a failure", async () => {
  functions.add({ status: "failed" });
  const answer = functions.hold(LIST);
  await open();
  await press(filter("Completed"));
  expect(functions.asked(LIST)).toHaveLength(2);
  await doing(() => answer(() => problem(503, "Firestore is not available now.")));
  screen.getByRole("heading", { name: "Your jobs could not be loaded" });
  await press(filter("Failed"));
  expect(counts("All", "Failed")).toEqual({ All: "1", Failed: "1" });
});

test("jobs with unknown statuses have a filter if there are any", async () => {
  const others = ["archived", "watermarking"].map((status) => functions.add({ status })).reverse();
  functions.add({ status: "failed" });
  await open();
  expect(counts("All", "Failed", "Other")).toEqual({ All: "3", Failed: "1", Other: "2" });
  await press(filter("Other"));
  expect(cards()).toEqual(idsOf(others));
  await open(location.search);
  expect(cards()).toEqual(idsOf(others));
  expect(pressed()).toEqual(["Other2"]);

  await press(screen.getAllByRole("checkbox")[0] as HTMLElement);
  const selection = screen.getByRole("region", { name: "Selected jobs" });
  await press(button("Select all 2", selection));
  await press(button(/^Delete/, selection));
  await press(button("Delete 2 jobs", dialog()));
  screen.getByRole("heading", { name: "No other jobs" });
  expect(counts("All", "Failed", "Other")).toEqual({ All: "1", Failed: "1", Other: "0" });
  await press(filter("All"));
  expect(screen.queryByRole("button", { name: /^Other/ })).toBeNull();
});

test("every job is on exactly one page, which is requested by its cursor and begins at the top", async () => {
  const scrollTo = vi.spyOn(window, "scrollTo");
  const jobs = functions.addMany(45, { status: "failed" });
  await open("?status=failed");
  const seen = cards();
  expect(button("Previous")).toHaveProperty("disabled", true);
  screen.getByText("1–20 of 45");
  const turn = async (direction: string, range: string) => {
    (document.activeElement as HTMLElement).blur();
    await press(button(direction));
    screen.getByText(`${range} of 45`);
    expect([focused(), announced(), scrollTo.mock.lastCall]).toEqual([
      "jobs-title",
      `Jobs ${range} of 45.`,
      [0, 0],
    ]);
    scrollTo.mockClear();
  };
  for (const range of ["21–40", "41–45"]) {
    await turn("Next", range);
    seen.push(...cards());
    const { cursor, status, page } = functions.asked(LIST).at(-1)?.query ?? {};
    expect([Boolean(cursor), status, page]).toEqual([true, "failed", undefined]);
  }
  expect(seen).toEqual(idsOf(jobs));
  expect(button("Next")).toHaveProperty("disabled", true);
  for (const range of ["21–40", "1–20"]) await turn("Previous", range);
});

test("a page beyond the end leads to the last, and an invalid address or a filter without jobs to all", async () => {
  const jobs = functions.addMany(21, { status: "failed" });
  await open("?page=9");
  expect([cards(), location.search]).toEqual([idsOf(jobs.slice(20)), "?page=2"]);
  expect(button("Previous")).toHaveProperty("disabled", false);

  await open("?status=lost&page=-1");
  expect([cards(), pressed()]).toEqual([idsOf(jobs.slice(0, 20)), ["All21"]]);

  await open("?status=queued");
  screen.getByRole("heading", { name: "No queued jobs" });
  await press(button("Show all jobs"));
  expect([cards(), focused()]).toEqual([idsOf(jobs.slice(0, 20)), "jobs-title"]);
});

test("a job is found by its id or its beginning, wherever it is, and nothing else is", async () => {
  const failed = functions.addMany(20, { status: "failed" });
  const alike = ["failed", "completed"].map((status, number) =>
    functions.add({ id: `abcdef${number}`, status }),
  );
  await open();
  const last = failed[19] as (typeof failed)[0];
  await find(last.id);
  expect(cards()).toEqual([last.id]);
  screen.getByText("1–1 of 1");
  expect(counts("All", "Failed")).toEqual({ All: "22", Failed: "21" });
  await find("abcdef");
  expect(cards()).toEqual(idsOf(alike));

  await open("?q=nobody");
  screen.getByRole("heading", { name: "No job found" });
  expect(main()).toContain("None of your job names or ids begins with “nobody”");
  expect(cards()).toEqual([]);
  button("Show all jobs").focus();
  await doing(() => user.keyboard("{Enter}"));
  expect([cards().length, focused()]).toEqual([20, "jobs-title"]);
});

test("what can begin neither ids nor names is explained without a request", async () => {
  functions.add();
  await open();
  for (const nonsense of ["two words ".repeat(9), `${"a".repeat(81)}%`]) {
    await doing(() => user.clear(search()));
    await doing(() => user.paste(nonsense));
    await doing(() => user.keyboard("{Enter}"));
    const problem = document.querySelector("search [role=alert]");
    expect(problem?.textContent).toBe(
      "Names have at most 80 characters. Job ids contain only letters, digits, - and _.",
    );
    expect(search().getAttribute("aria-invalid")).toBe("true");
    expect(main()).toContain(`begins with “${nonsense.trim()}”`);
  }
  expect(functions.calls).toHaveLength(1);
});

test("a search that is typed on a later page keeps the focus and is paged like the list", async () => {
  const alike = Array.from({ length: 21 }, (_, number) =>
    functions.add({ id: `abcdef${number + 10}`, media: NO_MEDIA }),
  );
  await open("?page=2");
  await type(search(), "abcdef");
  await run(0.3);
  expect(cards()).toEqual(idsOf(alike).slice(0, 20));
  expect(document.activeElement).toBe(search());
  await press(button("Next"));
  expect(cards()).toEqual(idsOf(alike).slice(20));
  screen.getByText("21–21 of 21");
});

test("a search starts when typing pauses", async () => {
  const [job] = ["abcdef12", "12345678"].map((id) => functions.add({ id }));
  await open();
  for (const letter of "abcdef") {
    await type(search(), letter);
    await run(0.2);
  }
  expect(functions.calls).toHaveLength(1);
  await run(0.1);
  expect(functions.calls.slice(1).map(({ query }) => query.id_prefix)).toEqual(["abcdef"]);
  expect(cards()).toEqual([job?.id]);
});

test("a search does not start once a filter is chosen", async () => {
  functions.add({ id: "abcdef12" });
  const failed = functions.add({ status: "failed" });
  await open();
  await type(search(), "abcdef");
  await press(filter("Failed"));
  await run(1);
  expect([cards(), search().value, location.search]).toEqual([[failed.id], "", "?status=failed"]);
  expect(functions.calls.filter(({ query }) => query.id_prefix)).toEqual([]);
});

test("a search that starts while details open keeps them open", async () => {
  const sought = functions.add({ id: "abcdef12" });
  const opened = functions.add();
  await open();
  await type(search(), "abcdef");
  await press(button(/^Details /, card(opened)));
  await run(1);
  expect(new URLSearchParams(location.search).get("q")).toBe("abcdef");
  expect(cards()).toEqual([sought.id]);
  within(dialog()).getByRole("heading", { name: new RegExp(shortName(opened.id)) });
  await pressEscape();
  expect([dialog(), cards()]).toEqual([undefined, [sought.id]]);
});

test("a filter clears the search, and a search clears the filter", async () => {
  const completed = functions.add();
  const failed = functions.addMany(2, { status: "failed" });
  await open("?status=failed");
  await find(completed.id);
  expect([cards(), pressed()]).toEqual([[completed.id], []]);
  await press(filter("Failed"));
  expect([cards(), search().value]).toEqual([idsOf(failed), ""]);
});

test("a cleared search leaves the focus in its box, and lists all jobs", async () => {
  const jobs = functions.addMany(2);
  await open(`?q=${jobs[1]?.id}`);
  expect([cards(), search().value]).toEqual([[jobs[1]?.id], jobs[1]?.id]);
  await press(button("Clear the search"));
  expect([cards(), search().value]).toEqual([idsOf(jobs), ""]);
  expect(document.activeElement).toBe(search());
});
