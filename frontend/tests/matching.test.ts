import { expect, test, vi } from "vitest";
import { listPlainly } from "@/lib/job-calls";
import { allMatching } from "@/lib/matching";
import { ALL } from "@/lib/view";

vi.mock("@/lib/job-calls", () => ({ listPlainly: vi.fn() }));

test("all jobs of a view are read page by page, and each is there once", async () => {
  const list = (ids: string, next_cursor: string | null) =>
    ({ jobs: [...ids].map((id) => ({ id })), next_cursor }) as Awaited<ReturnType<typeof listPlainly>>;
  vi.mocked(listPlainly)
    .mockResolvedValueOnce(list("ab", "one"))
    .mockResolvedValueOnce(list("bc", "two"))
    .mockResolvedValueOnce(list("d", null));
  const view = { ...ALL, search: "cat", details: null };
  const { signal } = new AbortController();
  expect((await allMatching(view, "name", signal)).map((job) => job.id)).toEqual(["a", "b", "c", "d"]);
  expect(vi.mocked(listPlainly).mock.calls).toEqual([
    [view, "name", null, signal],
    [view, "name", "one", signal],
    [view, "name", "two", signal],
  ]);
});

test("no other page is read once nobody wants the jobs", async () => {
  vi.mocked(listPlainly).mockClear();
  const controller = new AbortController();
  const empty = { jobs: [], next_cursor: null } as unknown as Awaited<ReturnType<typeof listPlainly>>;
  vi.mocked(listPlainly)
    .mockImplementationOnce(async () => {
      controller.abort();
      return { ...empty, next_cursor: "one" };
    })
    .mockResolvedValueOnce(empty);
  const view = { ...ALL, details: null };
  await expect(allMatching(view, undefined, controller.signal)).rejects.toBe(controller.signal.reason);
  expect(listPlainly).toHaveBeenCalledOnce();
});
