import { beforeEach, expect, test, vi } from "vitest";
import { fewAtOnce } from "@/lib/bulk";
import { ApiError, NetworkError, SessionEnded } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { requestRestores, settledRestores, tellEnd } from "@/lib/restore";

const { getJobs, getReceipt, notify, restoreJob } = vi.hoisted(() => ({
  getJobs: vi.fn(),
  getReceipt: vi.fn(),
  notify: vi.fn(),
  restoreJob: vi.fn(),
}));
vi.mock("@/lib/api", () => ({ getJobs }));
vi.mock("@/lib/job-calls", () => ({ getReceipt, restoreJob }));
vi.mock("@/lib/notify", () => ({ notify }));

const { signal } = new AbortController();
const always = () => true;
const states: Record<string, string> = {};
const jobs = (...ids: string[]) => ids.map((id) => ({ id }) as JobFields);
const said = () => notify.mock.calls.map(([kind, title, description]) => [kind, title, description]);

beforeEach(() => {
  vi.resetAllMocks();
  vi.stubGlobal("window", new EventTarget());
  getJobs.mockResolvedValue([{ id: "live" }]);
  getReceipt.mockImplementation(async (id: string) => ({ state: states[id] }));
});

test("a restore has ended if the job is live, or if its deletion stands", async () => {
  Object.assign(states, { on: "restoring", almost: "restored", again: "pending", late: "done" });
  const ids = ["live", ...Object.keys(states)];
  expect(await settledRestores(jobs(...ids), signal)).toEqual({
    back: jobs("live"),
    stay: jobs("again", "late"),
  });
  expect(getJobs).toHaveBeenCalledExactlyOnceWith(ids, signal);
  expect(getReceipt.mock.calls.map(([id]) => id)).toEqual(Object.keys(states));
});

test("a restore has ended if nothing is known of the job any more", async () => {
  getReceipt.mockRejectedValue(new ApiError("There is no such job.", 404, undefined));
  expect(await settledRestores(jobs("gone"), signal)).toEqual({ back: [], stay: jobs("gone") });
});

test("a restore has not ended just because the service cannot be asked", async () => {
  getReceipt.mockRejectedValue(new NetworkError());
  await expect(settledRestores(jobs("a"), signal)).rejects.toBeInstanceOf(NetworkError);
});

test("what is accepted and what is refused is told, with the service's reason", async () => {
  const reason = "The job's files are gone for good, so it can no longer be restored.";
  restoreJob.mockImplementation(async (id: string) => {
    if (id.startsWith("late")) throw new ApiError(reason, 410, undefined);
  });
  const [onAccepted, onRefused] = [vi.fn(), vi.fn()];
  await requestRestores(jobs("a", "late1", "b", "late2"), always, onAccepted, onRefused);
  expect(onAccepted.mock.calls.flat()).toEqual(jobs("a", "b"));
  expect(onRefused.mock.calls.flat()).toEqual(jobs("late1", "late2"));
  expect(said()).toEqual([
    ["success", "2 jobs are being restored", "a, b"],
    ["error", "2 jobs could not be restored", `late1, late2. ${reason}`],
  ]);
});

test("a job that was deleted again before its turn is not restored, nor after the service asked to wait", async () => {
  vi.useFakeTimers();
  const wanted = new Set(["a", "busy"]);
  const often = new ApiError("That was a lot at once.", 429, 5_000);
  restoreJob.mockImplementation(async (id: string) => {
    if (id === "busy") throw often;
  });
  const [onAccepted, onRefused] = [vi.fn(), vi.fn()];
  const done = requestRestores(
    jobs("a", "again", "busy"),
    (job) => wanted.has(job.id),
    onAccepted,
    onRefused,
  );
  await vi.advanceTimersByTimeAsync(4_000);
  wanted.delete("busy");
  await vi.runAllTimersAsync();
  await done;
  vi.useRealTimers();
  expect(restoreJob.mock.calls.flat()).toEqual(["a", "busy"]);
  expect([onAccepted.mock.calls.flat(), onRefused.mock.calls]).toEqual([jobs("a"), []]);
  expect(said()).toEqual([["success", "Job a is being restored", undefined]]);
});

test("of a job that is deleted again while its request is out, neither the answer nor the refusal is told", async () => {
  const wanted = new Set(["a", "b", "c"]);
  restoreJob.mockImplementation(async (id: string) => {
    if (id !== "a") wanted.delete(id);
    if (id === "c") throw new NetworkError();
  });
  const [onAccepted, onRefused] = [vi.fn(), vi.fn()];
  await requestRestores(jobs("a", "b", "c"), (job) => wanted.has(job.id), onAccepted, onRefused);
  expect([onAccepted.mock.calls.flat(), onRefused.mock.calls]).toEqual([jobs("a"), []]);
  expect(said()).toEqual([["success", "Job a is being restored", undefined]]);
});

test("nothing is told if the session has ended, because the browser leaves the page", async () => {
  restoreJob.mockRejectedValue(new SessionEnded());
  await expect(requestRestores(jobs("a"), always, vi.fn(), vi.fn())).rejects.toBeInstanceOf(SessionEnded);
  expect(notify).not.toHaveBeenCalled();
});

test("the end of a restore is told in the place of its beginning", async () => {
  restoreJob.mockResolvedValue({ restore: "pending" });
  await requestRestores(jobs("a"), always, vi.fn(), vi.fn());
  tellEnd(jobs("a"), []);
  tellEnd([], jobs("b"));
  expect(said()).toEqual([
    ["success", "Job a is being restored", undefined],
    ["success", "Job a restored", undefined],
    ["error", "Job b could not be restored", "The deletion stands."],
  ]);
  const [begun, ended] = notify.mock.calls.map(([, , , topic]) => topic);
  expect(begun).toBe(ended);
});

test("a message about many jobs names the first five, and is about all of them", () => {
  const many = Array.from({ length: 300 }, (_, number) => `${number}`);
  tellEnd(jobs(...many.slice(0, 5)), jobs(...many));
  tellEnd([], jobs(...many.slice(0, 299), "other"));
  expect(said().map(([, , description]) => description)).toEqual([
    "0, 1, 2, 3, 4",
    "0, 1, 2, 3, 4 and 295 more. The deletion stands.",
    "0, 1, 2, 3, 4 and 295 more. The deletion stands.",
  ]);
  expect(new Set(notify.mock.calls.map(([, , , topic]) => topic)).size).toBe(3);
});

test("of many restores no more are asked for than one request allows, and five receipts, each in its turn", async () => {
  getReceipt.mockResolvedValue({ state: "restoring" });
  const ids = Array.from({ length: 107 }, (_, number) => `${number}`);
  const receipts = () => getReceipt.mock.calls.map(([id]) => id);
  await settledRestores(jobs(...ids), signal);
  expect(getJobs.mock.calls[0]?.[0]).toHaveLength(100);
  expect(receipts()).toHaveLength(5);
  await settledRestores(jobs(...ids), signal);
  expect(new Set(getJobs.mock.calls.flatMap(([asked]) => asked)).size).toBe(107);

  getReceipt.mockClear();
  for (let poll = 0; poll < 3; poll += 1) await settledRestores(jobs(...ids.slice(0, 12)), signal);
  expect(new Set(receipts()).size).toBe(12);
  expect(receipts()).toHaveLength(15);
});

test("work is done for every item, four at a time, and ends with the first error", async () => {
  let under = 0;
  let most = 0;
  const done: number[] = [];
  const work = async (item: number) => {
    under += 1;
    most = Math.max(most, under);
    await new Promise((resolve) => setTimeout(resolve));
    under -= 1;
    done.push(item);
  };
  await fewAtOnce([0, 1, 2, 3, 4, 5, 6, 7, 8], work);
  expect([done.length, most]).toEqual([9, 4]);
  await expect(fewAtOnce([1], () => Promise.reject(new NetworkError()))).rejects.toBeInstanceOf(NetworkError);
});
