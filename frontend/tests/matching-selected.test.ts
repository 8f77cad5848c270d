import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeEach, expect, test, vi } from "vitest";
import { JobsSelection } from "@/components/JobsSelection";
import type { Selection } from "@/hooks/use-selection";
import type { FoundList, JobFields } from "@/lib/job";
import { underWay } from "@/lib/late";
import { ALL } from "@/lib/view";
import { drawn, forget } from "./kept";

const { allMatching, buttons } = vi.hoisted(() => ({
  allMatching: vi.fn(),
  buttons: new Map<string, () => Promise<void>>(),
}));
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  ...(await import("./kept")).hooks,
}));
vi.mock("@/components/ui/Button", () => ({
  Button: ({ children, onClick }: { children: unknown; onClick: () => Promise<void> }) => {
    buttons.set(String(children), onClick);
    return null;
  },
}));
vi.mock("@/components/dialogs/SaveDialog", () => ({ SaveDialog: () => null }));
vi.mock("@/lib/matching", () => ({ allMatching }));

const announce = vi.fn();

/** Returns the names of the buttons. */
function draw(state: object, count = 1): string[] {
  const selection = {
    jobs: [{ id: "a" } as JobFields].slice(0, count),
    outOf: 2,
    lost: [],
    state,
    selectThese: (jobs: JobFields[]) => jobs.length,
  } as unknown as Selection;
  const list = { total: 3 } as FoundList;
  const props = { selection, view: { ...ALL, details: null }, list, announce, onDelete: vi.fn() };
  buttons.clear();
  drawn(() => renderToStaticMarkup(createElement(JobsSelection, props)));
  return [...buttons.keys()];
}

beforeEach(() => {
  forget();
  announce.mockClear();
});

test("how many jobs that match were selected is told to screen readers", async () => {
  allMatching.mockResolvedValue([{ id: "a" }, { id: "b" }, { id: "c" }]);
  draw({});
  await buttons.get("Select all 3 that match")?.();
  expect(announce.mock.calls).toEqual([["3 selected."]]);
});

test("a selection is under way, so that no missing part of the page reloads it, until it is empty", () => {
  const before = underWay.count;
  const counted = [0, 1, 1, 0].map((count) => {
    draw({}, count);
    return underWay.count - before;
  });
  expect(counted).toEqual([0, 1, 1, 0]);
});

test("the search for them ends when the selection changes, such as by another filter, and that is told", async () => {
  allMatching.mockImplementation(
    (_view, _by, signal: AbortSignal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  const state = {};
  draw(state);
  const search = buttons.get("Select all 3 that match")?.();
  expect(draw(state)).toContain("Selecting…");
  expect(draw(state)).toContain("Selecting…");
  expect(announce).not.toHaveBeenCalled();
  const changed = {};
  draw(changed);
  await search;
  expect(draw(changed)).toContain("Select all 3 that match");
  const told = "The selection has changed meanwhile. The jobs that match were not selected.";
  expect(announce.mock.calls).toEqual([[told]]);
});
