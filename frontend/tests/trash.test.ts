import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import TrashContent from "@/components/TrashContent";
import type { Trash } from "@/hooks/use-trash";
import type { Navigation } from "@/hooks/use-view";
import type { DeletedJob } from "@/lib/job";
import { ALL } from "@/lib/view";

const { buttons, chosen } = vi.hoisted(() => ({
  buttons: new Map<string | undefined, () => void>(),
  chosen: new Set(["a", "b"]),
}));
vi.mock("@/components/ui/Button", () => ({
  Button: (props: { "aria-label"?: string; onClick: () => void }) => {
    buttons.set(props["aria-label"], props.onClick);
    return null;
  },
}));
vi.mock("@/components/SelectionBar", () => ({ SelectionBar: () => null }));
vi.mock("@/lib/focus-after-deletion", () => ({ focusAfterDeletion: { plan: vi.fn(), apply: vi.fn() } }));
vi.mock("@/hooks/use-selection", () => ({
  useSelection: () => ({
    jobs: [],
    has: ({ id }: DeletedJob) => chosen.has(id),
    clear: () => chosen.clear(),
    drop: (jobs: DeletedJob[]) => {
      for (const { id } of jobs) chosen.delete(id);
    },
  }),
}));

test("one job that is restored by its own button is no longer selected, and others still are", () => {
  const jobs = ["a", "b", "c"].map((id) => ({ id, status: "completed" }) as DeletedJob);
  const trash = { list: { jobs, total: 3, page: 1, next_cursor: null }, loading: false } as unknown as Trash;
  const onRestore = vi.fn();
  const props = { trash, view: { ...ALL, deleted: true, details: null }, navigation: {} as Navigation };
  renderToStaticMarkup(createElement(TrashContent, { ...props, onRestore }));
  buttons.get("Restore job c")?.();
  expect([...chosen]).toEqual(["a", "b"]);
  buttons.get("Restore job b")?.();
  expect([...chosen]).toEqual(["a"]);
  expect(onRestore.mock.calls).toEqual([[[jobs[2]]], [[jobs[1]]]]);
});
