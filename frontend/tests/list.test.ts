import { describe, expect, test } from "vitest";
import type { Counts, FoundList, Job, TrashList } from "@/lib/job";
import { changeOf } from "@/lib/job-calls";
import {
  arrivals,
  asListed,
  contradicts,
  countedTotal,
  describeRange,
  isOutdated,
  leftBetween,
  movedApart,
  newestOf,
  recount,
  recountPolled,
  roomFor,
  withChange,
  withChanges,
  withoutJobs,
  withPolledJob,
  withPolledJobs,
  withTotal,
} from "@/lib/list";
import { withReturning } from "@/lib/returning";
import { ALL, NO_FILTER, type View } from "@/lib/view";

function job(id: string, status = "completed"): Job {
  return { id, status } as Job;
}

function list(jobs: Job[], changes: Partial<FoundList> = {}): FoundList {
  return { jobs, total: 50, page: 2, before: 20, next_cursor: "cursor", ...changes };
}

const ids = (jobs: Job[]) => jobs.map((one) => one.id);
const [a, b, c] = [job("a", "processing"), job("b"), job("c", "queued")];
const counts: Counts = { all: 50, pending: 0, queued: 4, processing: 3, completed: 40, failed: 2, other: 1 };

describe("a list and the newest job", () => {
  const shown = list([a, b, c], { total: 3, page: 1 });

  test("agree if nothing has happened", () => {
    expect(isOutdated(shown, { jobs: [a], total: 3 }, NO_FILTER)).toBe(false);
    expect(isOutdated(list([], { total: 0 }), { jobs: [], total: 0 }, NO_FILTER)).toBe(false);
  });

  test("disagree if a job was added or deleted elsewhere", () => {
    expect(isOutdated(shown, { jobs: [job("new")], total: 4 }, NO_FILTER)).toBe(true);
    expect(isOutdated(shown, { jobs: [job("new")], total: 3 }, NO_FILTER)).toBe(true);
    expect(isOutdated(shown, { jobs: [a], total: 4 }, NO_FILTER)).toBe(true);
    expect(isOutdated(shown, { jobs: [a], total: 2 }, NO_FILTER)).toBe(true);
    expect(isOutdated(list([], { total: 0 }), { jobs: [a], total: 1 }, NO_FILTER)).toBe(true);
  });

  test("agree if a job has only left the chosen status, in front of the user", () => {
    const active = { statuses: ["processing" as const, "queued" as const] };
    expect(isOutdated(shown, { jobs: [b], total: 2 }, active)).toBe(false);
    expect(isOutdated(shown, { jobs: [job("new")], total: 3 }, active)).toBe(true);
    expect(isOutdated(shown, { jobs: [a], total: 4 }, active)).toBe(true);
  });

  test("disagree if a job of the chosen statuses was deleted elsewhere, also beside one that has left them", () => {
    const ended = { statuses: ["failed" as const] };
    const [left, kept, deleted] = [b, job("d", "failed"), job("e", "failed")];
    expect(isOutdated(list([kept, deleted], { total: 2 }), { jobs: [kept], total: 1 }, ended)).toBe(true);
    const beside = list([left, kept, deleted], { total: 3 });
    expect(isOutdated(beside, { jobs: [kept], total: 2 }, ended)).toBe(false);
    expect(isOutdated(beside, { jobs: [kept], total: 1 }, ended)).toBe(true);
  });

  test("disagree if a new job has come for one that has left the chosen status, wherever it is", () => {
    expect(
      isOutdated(list([b, a], { total: 2 }), { jobs: [a], total: 2 }, { statuses: ["processing"] }),
    ).toBe(true);
  });

  test("agree while a poll has yet to tell which jobs in progress have left the chosen statuses", () => {
    const some = { statuses: ["processing" as const, "queued" as const, "failed" as const] };
    const before = list([a, c, job("d", "failed")], { total: 3 });
    expect(isOutdated(before, { jobs: [a], total: 1 }, some)).toBe(false);
    expect(isOutdated(before, { jobs: [a], total: 0 }, some)).toBe(true);
  });

  test("leave room for what is shown", () => {
    const twenty = list(
      Array.from({ length: 20 }, (_, number) => job(String(number))),
      { total: 57 },
    );
    expect(roomFor(twenty, { jobs: [a], total: 57 })).toBe(20);
    expect(roomFor(twenty, { jobs: [a], total: 59 })).toBe(22);
    expect(roomFor(twenty, { jobs: [a], total: 50 })).toBe(20);
    expect(roomFor(twenty, { jobs: [a], total: 900 })).toBe(100);
    expect(roomFor(shown, { jobs: [a], total: 4 })).toBe(20);
  });
});

test("jobs that are newer than all known ones have arrived", () => {
  const created = (created_at: string | null) => ({ ...a, created_at });
  const days = ["2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z", null, "2026-11-02T00:00:00Z"].map(created);
  expect(newestOf(days)).toBe(Date.UTC(2026, 10, 3));
  expect(newestOf([created(null)])).toBe(0);
  expect(newestOf([])).toBe(0);
  expect(arrivals(Date.UTC(2026, 10, 2), days)).toEqual([days[1]]);
  expect(arrivals(0, [created(null)])).toEqual([]);
});

describe("a list after a poll", () => {
  test("has the polled jobs in their old places", () => {
    const after = withPolledJobs(
      list([a, b, c]),
      ["a", "c"],
      [job("c", "processing"), job("a", "completed")],
    );
    expect(after.jobs.map((one) => one.status)).toEqual(["completed", "completed", "processing"]);
    expect(ids(after.jobs)).toEqual(["a", "b", "c"]);
    expect(after.total).toBe(50);
  });

  test("loses the jobs that were asked for but not returned", () => {
    const after = withPolledJobs(list([a, b, c]), ["a", "c"], [c]);
    expect(ids(after.jobs)).toEqual(["b", "c"]);
    expect(after.total).toBe(49);
  });

  test("does not change if the page was changed in the meantime", () => {
    expect(withPolledJobs(list([b]), ["a"], [job("a")])).toEqual(list([b]));
  });
});

test("polled jobs keep the names that they were given after the poll was asked", () => {
  const stale = [
    { ...a, name: "Old" },
    { ...c, name: "Other" },
  ];
  const renamed = [
    { id: "a", name: "First" },
    { id: "b", name: "Not polled" },
    { id: "a", name: null },
  ];
  expect(withChanges(stale, renamed)).toEqual([
    { ...a, name: null },
    { ...c, name: "Other" },
  ]);
  expect(withChanges(stale, [])).toEqual(stale);
});

describe("a job outside the list", () => {
  test("is updated by a poll, or null if it is gone", () => {
    expect(withPolledJob(a, ["a", "c"], [job("a", "completed")])?.status).toBe("completed");
    expect(withPolledJob(a, ["a", "c"], [c])).toBeNull();
  });

  test("does not change if the poll did not ask for it", () => {
    expect(withPolledJob(b, ["a"], [a])).toBe(b);
  });
});

test("a new share link changes only its own job, and nothing else about it", () => {
  const share = {
    job_id: "b",
    share_url: "https://nuumee.ai/v/25ca1d0f",
    expires_at: "2026-12-03T12:00:00Z",
    share_name: true,
  };
  const failed = job("b", "failed");
  const { share_url, expires_at: share_expires_at, share_name } = share;
  expect(withChange(failed, changeOf(share))).toEqual({ ...failed, share_url, share_expires_at, share_name });
  expect(withChange(a, changeOf(share))).toBe(a);
});

test("a new name changes only its own job, and nothing else about it", () => {
  const failed = job("b", "failed");
  const named = { id: "b", name: "First try" };
  expect(withChanges([a, failed, c], [named])).toEqual([a, { ...failed, name: "First try" }, c]);
});

test("jobs that are being deleted are not shown or counted", () => {
  const after = withoutJobs(list([a, b, c]), [b]);
  expect(ids(after.jobs)).toEqual(["a", "c"]);
  expect(after.total).toBe(49);
});

describe("a job that comes back", () => {
  const at = (id: string, hour: number, status = "completed"): Job => ({
    ...job(id, status),
    created_at: `2026-11-26T${hour}:00:00Z`,
  });
  const [first, second, third] = [at("c", 15), at("b", 13), at("a", 11)];
  const all = { ...ALL, details: null };
  const back = (one: Job, changes: Partial<FoundList> = {}, view: Partial<View> = {}) => {
    const after = withReturning(list([first, second, third], { page: 1, ...changes }), [one], {
      ...all,
      ...view,
    });
    return [...ids(after.jobs), after.total];
  };

  test("has its place by the time it was created", () => {
    expect(back(at("x", 16))).toEqual(["x", "c", "b", "a", 51]);
    expect(back(at("x", 12))).toEqual(["c", "b", "x", "a", 51]);
    expect(back(at("x", 10), { next_cursor: null })).toEqual(["c", "b", "a", "x", 51]);
    expect(ids(withReturning(list([], { page: 1, next_cursor: null }), [first], all).jobs)).toEqual(["c"]);
  });

  test("is only counted if its place is on another page", () => {
    expect(back(at("x", 10))).toEqual(["c", "b", "a", 51]);
    expect(back(at("x", 16), { page: 2 })).toEqual(["c", "b", "a", 51]);
  });

  test("is neither shown nor counted if the list is of another status", () => {
    expect(back(at("x", 12, "failed"), {}, { statuses: ["completed"] })).toEqual(["c", "b", "a", 50]);
    expect(back(at("x", 12, "failed"), {}, { statuses: ["failed"] })).toEqual(["c", "b", "x", "a", 51]);
    expect(back(at("x", 12, "later"), {}, { statuses: ["queued", "other"] })).toEqual([
      "c",
      "b",
      "x",
      "a",
      51,
    ]);
  });

  test("has its place in a search by its id", () => {
    const found = list([job("7a"), job("7c")], { page: 1, total: 2, next_cursor: null });
    const search = { ...all, search: "7" };
    expect(ids(withReturning(found, [job("7b"), job("8b")], search).jobs)).toEqual(["7a", "7b", "7c"]);
  });

  test("comes with the next list where its place is not known", () => {
    const days = { from: "2026-11-01" };
    for (const view of [{ types: ["extend"] }, days, { oldest: true }, { shared: true }]) {
      expect(back(at("x", 12), {}, view)).toEqual(["c", "b", "a", 50]);
    }
    expect(back(at("x", 12), { by: "name" }, { search: "x" })).toEqual(["c", "b", "a", 50]);
  });

  test("is not shown twice once the list has it", () => {
    expect(back(second)).toEqual(["c", "b", "a", 50]);
  });
});

describe("the counts", () => {
  test("follow a job's change of status", () => {
    expect(recount(counts, [a], [job("a", "completed")])).toEqual({
      ...counts,
      processing: 2,
      completed: 41,
    });
  });

  test("decrease with each deleted job, even one with an unknown status", () => {
    expect(recount(counts, [c, job("d", "archived")], [])).toEqual({
      ...counts,
      all: 48,
      queued: 3,
      other: 0,
    });
  });

  test("count a job under other while its status is unknown", () => {
    const watermarking = job("a", "watermarking");
    const after = recount(counts, [a], [watermarking]);
    expect(after).toEqual({ ...counts, processing: 2, other: 2 });
    expect(recount(after, [watermarking], [job("a", "upscaling")])).toEqual(after);
    expect(recount(after, [watermarking], [job("a")])).toEqual({ ...counts, processing: 2, completed: 41 });
  });
});

describe("a poll that also asks for the job of open details, which the list does not have", () => {
  const apart = job("z", "processing");

  test("leaves that job out of the counts, which may have been loaded after it", () => {
    const fresh = { ...counts, processing: 1 };
    const after = recountPolled(fresh, [a], [job("a", "completed"), job("z", "completed")]);
    expect(after).toEqual({ ...counts, processing: 0, completed: 41 });
    expect(recountPolled(counts, [a], [apart])).toEqual({ ...counts, all: 49, processing: 2 });
  });

  test("asks for the list again if that job has another status or is gone, and not otherwise", () => {
    expect(movedApart([apart], [a, job("z", "completed")])).toBe(true);
    expect(movedApart([apart], [a])).toBe(true);
    expect(movedApart([apart], [job("a", "completed"), apart])).toBe(false);
    expect(movedApart([], [job("a", "completed")])).toBe(false);
  });
});

test("jobs are taken as the list has them now, and those that it does not have as they were", () => {
  const done = job("a", "completed");
  expect(asListed([a, c], list([b, done]))).toEqual([done, c]);
  expect(asListed([a, c], undefined)).toEqual([a, c]);
});

test("the range names the first and last job of a page", () => {
  expect(describeRange(list(Array.from({ length: 20 }, (_, n) => job(`${n}`))))).toBe("21–40 of 50");
  expect(describeRange(list([a], { page: 1, before: 0, total: 1 }))).toBe("1–1 of 1");
});

test("counts that came with a list tell the total of all jobs and of some statuses", () => {
  const all: View = { ...ALL, details: null };
  expect(countedTotal({ counts: { ...counts, all: 49 } }, all)).toBe(49);
  expect(countedTotal({}, all)).toBeNull();
  expect(countedTotal({ counts: { ...counts, all: 49 } }, { ...all, oldest: true })).toBe(49);
  const some = { ...all, statuses: ["completed", "failed"] satisfies View["statuses"] };
  expect(countedTotal({ counts }, some)).toBe(counts.completed + counts.failed);
  for (const view of [
    { search: "a" },
    { shared: true },
    { types: ["extend" as const] },
    { from: "2026-01-01" },
  ])
    expect(countedTotal({ counts }, { ...all, ...view })).toBeNull();
});

describe("the total of a page behind a cursor", () => {
  test("is what is known of the list, not what was counted with its first page", () => {
    expect(withTotal(list([a, b]), 47).total).toBe(47);
    expect(withTotal(list([a, b]), 53).total).toBe(53);
  });

  test("is never less than what is shown and what follows, nor more than the last page shows", () => {
    expect(withTotal(list([a, b]), 22).total).toBe(23);
    expect(describeRange(withTotal(list([a, b], { next_cursor: null }), 40))).toBe("21–22 of 22");
    const deleted = { ...a, deleted_at: "2026-11-26T15:00:00Z", recoverable_until: "2026-12-03T15:00:00Z" };
    const trash: TrashList = { jobs: [deleted], total: 40, page: 2, next_cursor: null };
    expect(describeRange(withTotal(trash, trash.total))).toBe("21–21 of 21");
  });

  test("stays where there are no jobs, and the user is led back", () => {
    expect(withTotal(list([], { next_cursor: null }), 0).total).toBe(50);
  });

  test("is lowered by the jobs that were deleted from this list since it was counted", () => {
    const deleted = [
      { at: 9, list: "mine" },
      { at: 10, list: "mine" },
      { at: 15, list: "mine" },
      { at: 15, list: "another" },
      { at: 20, list: "mine" },
      { at: 21, list: "mine" },
    ];
    expect(leftBetween(10, 20, "mine", deleted)).toBe(2);
  });
});

test("the range counts the new jobs that have made a page longer", () => {
  expect(describeRange(list([a, b], { page: 2, before: 25, total: 27 }))).toBe("26–27 of 27");
});

test("counts contradict a list with another total, unless jobs are being deleted or nothing is counted of it", () => {
  const view = { ...ALL, details: null, statuses: ["queued" as const] };
  expect(contradicts({ total: 3 }, { counts, deleting: [] }, view)).toBe(true);
  expect(contradicts({ total: 4 }, { counts, deleting: [] }, view)).toBe(false);
  expect(contradicts({ total: 3 }, { counts, deleting: [c] }, view)).toBe(false);
  expect(contradicts({ total: 3 }, { counts: undefined, deleting: [] }, view)).toBe(false);
  expect(contradicts({ total: 3 }, { counts, deleting: [] }, { ...view, shared: true })).toBe(false);
});
