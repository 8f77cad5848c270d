import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { JobsSelection } from "@/components/JobsSelection";
import type { Selection } from "@/hooks/use-selection";
import type { FoundList, JobFields } from "@/lib/job";
import { ALL } from "@/lib/view";

const buttons = new Map<string, () => Promise<void>>();
vi.mock("@/components/ui/Button", () => ({
  Button: ({ children, onClick }: { children: unknown; onClick: () => Promise<void> }) => {
    buttons.set(String(children), onClick);
    return null;
  },
}));
vi.mock("@/components/dialogs/SaveDialog", () => ({ SaveDialog: () => null }));
vi.mock("@/lib/matching", () => ({ allMatching: async () => [] }));

test.each([
  [3, "3 selected."],
  [null, "The selection has changed meanwhile. The jobs that match were not selected."],
])("what has come of selecting all jobs that match is told to screen readers (%s)", async (count, told) => {
  const selection = {
    jobs: [{ id: "a" } as JobFields],
    outOf: 2,
    lost: [],
    selectThese: () => count,
  } as unknown as Selection;
  const announce = vi.fn();
  const list = { total: 3 } as FoundList;
  const props = { selection, view: { ...ALL, details: null }, list, announce, onDelete: vi.fn() };
  renderToStaticMarkup(createElement(JobsSelection, props));
  await buttons.get("Select all 3 that match")?.();
  expect(announce.mock.calls).toEqual([[told]]);
});
