import { beforeEach, describe, expect, test, vi } from "vitest";
import { deleteAll } from "@/lib/deletion";
import { ApiError } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { requestRestores } from "@/lib/restore";

const { deleteJob, notify, restoreJob } = vi.hoisted(() => ({
  deleteJob: vi.fn(),
  notify: vi.fn(),
  restoreJob: vi.fn(),
}));
vi.mock("@/lib/job-calls", () => ({ deleteJob, restoreJob }));
vi.mock("@/lib/notify", () => ({ notify }));

const list = { hide: vi.fn(), show: vi.fn(), drop: vi.fn(), refresh: async () => undefined };
const jobs = Array.from({ length: 300 }, (_, number) => ({ id: `${number}` }) as JobFields);
const remove = () => deleteAll(jobs, { list, settle: vi.fn(), undo: vi.fn() });

beforeEach(() => {
  vi.resetAllMocks();
  vi.stubGlobal("window", new EventTarget());
});

test("the message about many deleted jobs names the first five", async () => {
  deleteJob.mockResolvedValue(true);
  expect(await remove()).toBe(true);
  const told = ["success", "300 jobs deleted", "0, 1, 2, 3, 4 and 295 more"];
  expect(notify.mock.calls.map((call) => call.slice(0, 3))).toEqual([told]);
});

test("so does the message about many that could not be deleted", async () => {
  deleteJob.mockRejectedValue(new ApiError("Away.", 503, undefined));
  expect(await remove()).toBe(false);
  const [kind, title, names] = notify.mock.calls[0] ?? [];
  expect([kind, title]).toEqual(["error", "300 of 300 jobs could not be deleted"]);
  expect(names).toMatch(/^(\d+, ){4}\d+ and 295 more$/);
});

describe("the deletion of a job whose restore is being requested", () => {
  const some = (...ids: string[]) => ids.map((id) => ({ id }) as JobFields);
  const removeAB = () => deleteAll(some("a", "b"), { list, settle: vi.fn(), undo: vi.fn() });
  const deleted = () => deleteJob.mock.calls.map(([id]) => id);
  const requestA = () => {
    let answer = { accept: () => {}, refuse: () => {} };
    const answered = new Promise<void>((accept, reject) => {
      answer = { accept, refuse: () => reject(new ApiError("Too late.", 410, undefined)) };
    });
    restoreJob.mockReturnValueOnce(answered);
    void requestRestores(some("a"), () => true, vi.fn(), vi.fn());
    return answer;
  };

  test.each([
    ["is accepted", ({ accept }: ReturnType<typeof requestA>) => accept()],
    ["is refused", ({ refuse }: ReturnType<typeof requestA>) => refuse()],
    ["can no longer be waited for, as the page is left", () => window.dispatchEvent(new Event("pagehide"))],
  ])("waits until that %s, and others do not", async (_, end) => {
    const request = requestA();
    deleteJob.mockResolvedValue(true);
    const removed = removeAB();
    await vi.waitFor(() => expect(deleted()).toEqual(["b"]));
    await new Promise((resolve) => setTimeout(resolve));
    expect(deleted()).toEqual(["b"]);
    end(request);
    expect(await removed).toBe(true);
    expect(deleted()).toEqual(["b", "a"]);
    request.accept();
  });

  test("waits for the last of two requests", async () => {
    const [first, last] = [requestA(), requestA()];
    deleteJob.mockResolvedValue(true);
    first.accept();
    await new Promise((resolve) => setTimeout(resolve));
    const removed = removeAB();
    await vi.waitFor(() => expect(deleted()).toEqual(["b"]));
    await new Promise((resolve) => setTimeout(resolve));
    expect(deleted()).toEqual(["b"]);
    last.accept();
    expect(await removed).toBe(true);
  });
});

describe("Undo", () => {
  const undo = vi.fn();
  const some = (...ids: string[]) => ids.map((id) => ({ id }) as JobFields);
  const removeSome = (...ids: string[]) => deleteAll(some(...ids), { list, settle: vi.fn(), undo });
  const topics = () => notify.mock.calls.map((call) => call[3]);
  const undoLast = () => notify.mock.calls.at(-1)?.[4].onClick();

  test("is offered for each of several deletions, however many jobs they have", async () => {
    deleteJob.mockResolvedValue(true);
    await removeSome("a", "b");
    await removeSome("c", "d");
    await removeSome("e");
    expect(new Set(topics()).size).toBe(3);
    undoLast();
    expect(undo).toHaveBeenCalledExactlyOnceWith(some("e"));
  });

  test("is offered for those that were deleted if others were not", async () => {
    deleteJob.mockImplementation(async (id: string) => {
      if (id === "b") throw new ApiError("Away.", 503, undefined);
      return true;
    });
    await removeSome("a", "b", "c");
    expect(notify.mock.lastCall?.slice(0, 3)).toEqual(["error", "1 of 3 jobs could not be deleted", "b"]);
    undoLast();
    expect(undo).toHaveBeenCalledExactlyOnceWith(some("a", "c"));
  });

  test("is not offered if nothing can come back", async () => {
    deleteJob.mockRejectedValue(new ApiError("Away.", 503, undefined));
    await removeSome("a", "b");
    expect(notify.mock.lastCall?.[4]).toBeUndefined();
  });
});
