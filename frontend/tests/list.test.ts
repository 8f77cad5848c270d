import { describe, expect, test } from "vitest";
import { neighbour } from "@/lib/focus";
import type { Counts, Job, JobList } from "@/lib/job";
import {
  changedJobs,
  describeRange,
  recount,
  withoutJobs,
  withPolledJob,
  withPolledJobs,
  withShare,
} from "@/lib/list";

function job(id: string, status = "completed"): Job {
  return { id, status } as Job;
}

function list(jobs: Job[], changes: Partial<JobList> = {}): JobList {
  return { jobs, total: 50, page: 2, next_cursor: "cursor", ...changes };
}

const ids = (jobs: Job[]) => jobs.map((one) => one.id);
const [a, b, c] = [job("a", "processing"), job("b"), job("c", "queued")];
const counts: Counts = { all: 50, pending: 0, queued: 4, processing: 3, completed: 40, failed: 2, other: 1 };

describe("a list after a poll", () => {
  test("has what was answered in the old places", () => {
    const after = withPolledJobs(
      list([a, b, c]),
      ["a", "c"],
      [job("c", "processing"), job("a", "completed")],
    );
    expect(after.jobs.map((one) => one.status)).toEqual(["completed", "completed", "processing"]);
    expect(ids(after.jobs)).toEqual(["a", "b", "c"]);
    expect(after.total).toBe(50);
  });

  test("loses the jobs that were asked for and not answered", () => {
    const after = withPolledJobs(list([a, b, c]), ["a", "c"], [c]);
    expect(ids(after.jobs)).toEqual(["b", "c"]);
    expect(after.total).toBe(49);
  });

  test("keeps a page that was turned meanwhile as it is", () => {
    expect(withPolledJobs(list([b]), ["a"], [job("a")])).toEqual(list([b]));
  });
});

describe("a job beside the list", () => {
  test("has after a poll what was answered, or is gone", () => {
    expect(withPolledJob(a, ["a", "c"], [job("a", "completed")])?.status).toBe("completed");
    expect(withPolledJob(a, ["a", "c"], [c])).toBeNull();
  });

  test("stays as it is where the poll did not ask for it", () => {
    expect(withPolledJob(b, ["a"], [a])).toBe(b);
  });
});

test("a link that was answered is taken in by its job alone, which stays as it is otherwise", () => {
  const share = { job_id: "b", share_url: "https://nuumee.ai/v/25ca1d0f" };
  const failed = job("b", "failed");
  expect(withShare(list([a, failed, c]), share).jobs).toEqual([
    a,
    { ...failed, share_url: share.share_url },
    c,
  ]);
  expect(withShare(list([a]), share)).toEqual(list([a]));
});

test("jobs that are being deleted are neither shown nor counted", () => {
  const after = withoutJobs(list([a, b, c]), [b]);
  expect(ids(after.jobs)).toEqual(["a", "c"]);
  expect(after.total).toBe(49);
});

test("only jobs with another status than before have changed", () => {
  expect(ids(changedJobs([a, c], [job("a", "failed"), c, job("new")]))).toEqual(["a"]);
  const [unknown, unnamed] = [job("d", "watermarking"), { ...job("e"), status: null }];
  expect(ids(changedJobs([unknown, unnamed], [unknown, unnamed]))).toEqual([]);
  expect(ids(changedJobs([unknown, unnamed], [job("d", "upscaling"), job("e", "queued")]))).toEqual([
    "d",
    "e",
  ]);
});

describe("the counts", () => {
  test("move with a job's status", () => {
    expect(recount(counts, [a], [job("a", "completed")])).toEqual({
      ...counts,
      processing: 2,
      completed: 41,
    });
  });

  test("lose what has gone, of an unknown status too", () => {
    expect(recount(counts, [c, job("d", "archived")], [])).toEqual({
      ...counts,
      all: 48,
      queued: 3,
      other: 0,
    });
  });

  test("move to and from the others with a status that is not known", () => {
    const watermarking = job("a", "watermarking");
    const after = recount(counts, [a], [watermarking]);
    expect(after).toEqual({ ...counts, processing: 2, other: 2 });
    expect(recount(after, [watermarking], [job("a", "upscaling")])).toEqual(after);
    expect(recount(after, [watermarking], [job("a")])).toEqual({ ...counts, processing: 2, completed: 41 });
  });

  test("of functions that do not count the others have none of them", () => {
    const { other: _, ...older } = counts;
    expect(recount(older, [a], [job("a", "watermarking")])).toEqual({ ...older, processing: 2 });
  });
});

test("the range says which jobs a page has", () => {
  expect(describeRange(list(Array.from({ length: 20 }, (_, n) => job(`${n}`))))).toBe("21–40 of 50");
  expect(describeRange(list([a], { page: 1, total: 1 }))).toBe("1–1 of 1");
});

describe("the neighbour of a deleted job", () => {
  test.each<[string[], string | null]>([
    [["a"], "b"],
    [["b"], "c"],
    [["c"], "b"],
    [["b", "c"], "a"],
    [["a", "c"], "b"],
    [["a", "b", "c"], null],
  ])("for %j is %s", (gone, next) => {
    const jobs = [a, b, c];
    expect(
      neighbour(
        jobs,
        jobs.filter((one) => gone.includes(one.id)),
      )?.id ?? null,
    ).toBe(next);
  });
});
