import { expect, test } from "vitest";
import {
  changedJobs,
  costOf,
  failureReason,
  formatViews,
  groupOf,
  isActive,
  isShared,
  type Job,
  STATUSES,
  titleOf,
  typeLabel,
} from "@/lib/job";

test.each([
  ["animate", "Animation"],
  ["later", "Video"],
  ["__proto__", "Video"],
  ["constructor", "Video"],
  ["", "Video"],
  [null, "Video"],
])("a job of type %s is labelled %s", (job_type, label) => {
  expect(typeLabel({ job_type } as Job)).toBe(label);
});

test.each(["pending", "queued", "processing", "watermarking", "other", "__proto__", "", null])(
  "a job with status %s is active",
  (status) => expect(isActive({ status } as Job)).toBe(true),
);

test.each(["completed", "failed"])("a job with status %s is not active", (status) => {
  expect(isActive({ status } as Job)).toBe(false);
});

test.each([
  ["No person in the video.\n", "No person in the video."],
  ["", "The job failed, and no reason was recorded."],
  [" \n", "The job failed, and no reason was recorded."],
  [null, "The job failed, and no reason was recorded."],
])("the reason %j of a failure is shown as %j", (error_message, shown) => {
  expect(failureReason({ error_message } as Job)).toBe(shown);
});

test("a job is counted under its status, or under other if the page does not know the status", () => {
  expect(STATUSES.map(groupOf)).toEqual([...STATUSES]);
  expect(["watermarking", "all", "other", "", null].map(groupOf)).toEqual(Array(5).fill("other"));
});

test.each([
  ["First try", "First try"],
  ["", "Animation"],
  [null, "Animation"],
  [undefined, "Animation"],
])("a job named %s is titled %s", (name, title) => {
  expect(titleOf({ job_type: "animate", ...(name !== undefined && { name }) } as Job)).toBe(title);
});

test("a job is shared while its link works", () => {
  const job = { share_url: "https://nuumee.ai/v/1" } as Job;
  const end = Date.parse("2026-12-03T12:00:00Z");
  const limited = { ...job, share_expires_at: "2026-12-03T12:00:00Z" };
  expect([isShared(job, end), isShared({ ...job, share_expires_at: null }, end)]).toEqual([true, true]);
  expect([isShared(limited, end - 1), isShared(limited, end)]).toEqual([true, false]);
  expect(isShared({ ...limited, share_url: null }, end - 1)).toBe(false);
});

test.each([
  [0, "No views yet"],
  [1, "1 view"],
  [1200, "1200 views"],
])("%s views are told as %s", (view_count, text) => {
  expect(formatViews({ view_count } as Job)).toBe(text);
});

test.each<[number | null, number | null | undefined, string | null]>([
  [10, undefined, "10 credits"],
  [10, null, "10 credits"],
  [10, 0, "10 credits"],
  [1, 1, "1 credit, given back"],
  [10, 10, "10 credits, given back"],
  [10, 2.5, "10 credits, 2.5 given back"],
  [null, 10, null],
])("%s credits of which %s were given back are shown as %j", (charged, refunded, shown) => {
  const refund = refunded !== undefined && { credits_refunded: refunded };
  expect(costOf({ credits_charged: charged, ...refund } as Job)).toBe(shown);
});

test("only jobs whose status differs have changed", () => {
  const job = (id: string, status: string | null) => ({ id, status }) as Job;
  const ids = (jobs: Job[]) => jobs.map(({ id }) => id);
  const [a, c] = [job("a", "processing"), job("c", "queued")];
  expect(ids(changedJobs([a, c], [job("a", "failed"), c, job("new", "completed")]))).toEqual(["a"]);
  const [unknown, unnamed] = [job("d", "watermarking"), job("e", null)];
  expect(ids(changedJobs([unknown, unnamed], [unknown, unnamed]))).toEqual([]);
  expect(ids(changedJobs([unknown, unnamed], [job("d", "upscaling"), job("e", "queued")]))).toEqual([
    "d",
    "e",
  ]);
});
