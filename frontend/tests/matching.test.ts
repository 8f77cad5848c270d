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
  expect((await allMatching(view, "name")).map((job) => job.id)).toEqual(["a", "b", "c", "d"]);
  expect(vi.mocked(listPlainly).mock.calls).toEqual([
    [view, "name", null],
    [view, "name", "one"],
    [view, "name", "two"],
  ]);
});
