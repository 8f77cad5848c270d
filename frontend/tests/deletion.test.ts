import { beforeEach, describe, expect, test, vi } from "vitest";
import { deleteAll } from "@/lib/deletion";
import { ApiError } from "@/lib/errors";
import type { JobFields } from "@/lib/job";

const { deleteJob, notify } = vi.hoisted(() => ({ deleteJob: vi.fn(), notify: vi.fn() }));
vi.mock("@/lib/job-calls", () => ({ deleteJob }));
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
