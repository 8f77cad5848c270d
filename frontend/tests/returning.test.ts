import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import type { Jobs } from "@/hooks/use-jobs";
import { useRestore } from "@/hooks/use-restore";
import type { Trash } from "@/hooks/use-trash";
import { NetworkError } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { ALL } from "@/lib/view";

const { late, requestRestores, notify } = vi.hoisted(() => ({
  late: vi.fn(),
  requestRestores: vi.fn(),
  notify: vi.fn(),
}));
vi.mock("@/lib/late", () => ({ late }));
vi.mock("@/lib/notify", () => ({ notify }));
vi.mock("@/hooks/use-environment", () => ({ useOnline: () => true, useVisible: () => true }));

const jobs = (...ids: string[]) => ids.map((id) => ({ id }) as JobFields);

test("a job that is asked back twice is requested once, unless the first time failed", async () => {
  let restore: (jobs: JobFields[]) => Promise<void> = async () => undefined;
  const trash = { refresh: async () => undefined } as Trash;
  const Page = () => {
    restore = useRestore({} as Jobs, trash, { ...ALL, details: null }).restore;
    return null;
  };
  renderToStaticMarkup(createElement(Page));
  let loaded: (part: object) => void = () => undefined;
  late.mockReturnValue(new Promise((resolve) => (loaded = resolve)));
  const asked = [restore(jobs("a", "b")), restore(jobs("b", "c")), restore(jobs("a"))];
  expect(late).toHaveBeenCalledTimes(2);
  loaded({ requestRestores });
  await Promise.all(asked);
  expect(requestRestores.mock.calls.map(([some]) => some)).toEqual([jobs("a", "b"), jobs("c")]);

  late.mockRejectedValueOnce(new NetworkError());
  await restore(jobs("a", "d"));
  expect(notify.mock.calls.map(([, title]) => title)).toEqual(["Nothing was restored"]);
  await restore(jobs("a", "d"));
  expect(requestRestores.mock.calls.map(([some]) => some)).toEqual([jobs("a", "b"), jobs("c"), jobs("d")]);
});

test("an Undo that waits for its turn leaves out a job that was deleted and asked back again meanwhile", async () => {
  let page: ReturnType<typeof useRestore> | undefined;
  const known = { hide: vi.fn(), restored: vi.fn(), isLeaving: () => false } as unknown as Jobs;
  const trash = { refresh: async () => undefined } as Trash;
  const Page = () => {
    page = useRestore(known, trash, { ...ALL, details: null });
    return null;
  };
  renderToStaticMarkup(createElement(Page));
  requestRestores.mockReset().mockReturnValue(new Promise(() => undefined));
  late.mockResolvedValue({ requestRestores });
  const wanted = () =>
    requestRestores.mock.calls.map(([some, isWanted]) =>
      some.filter(isWanted).map(({ id }: JobFields) => id),
    );
  void page?.restore(jobs("a", "b"));
  page?.jobs.hide(jobs("a"));
  void page?.restore(jobs("a"));
  await vi.waitFor(() => expect(requestRestores).toHaveBeenCalledTimes(2));
  expect(wanted()).toEqual([["b"], ["a"]]);

  // The first Undo is refused what it had asked for before: the second one stays.
  const onRefused = requestRestores.mock.calls[0]?.[3];
  onRefused(jobs("a")[0]);
  expect(wanted()).toEqual([["b"], ["a"]]);
});

test("the trash leaves out a job that is to be deleted once the answer to its Undo is there", () => {
  const known = { isLeaving: ({ id }: JobFields) => id === "a" } as unknown as Jobs;
  let page: ReturnType<typeof useRestore> | undefined;
  const Page = () => {
    const trash = { list: { jobs: jobs("a", "b"), total: 2 } } as unknown as Trash;
    page = useRestore(known, trash, { ...ALL, details: null });
    return null;
  };
  renderToStaticMarkup(createElement(Page));
  expect(page?.trash.list?.jobs).toEqual(jobs("b"));
});
