import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { SaveDialog } from "@/components/dialogs/SaveDialog";
import type { JobFields } from "@/lib/job";

const given = vi.hoisted(() => ({ state: {} }));
// The state comes first, then the progress.
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  useState: (first: object) => ["kind" in first ? given.state : first, vi.fn()],
}));
vi.mock("@/components/ui/Modal", () => ({
  ANSWERS: "",
  Modal: ({ children }: { children: ReactNode }) => children,
}));
vi.mock("@/lib/targets", () => ({ wayToSave: () => "zip" }));

test.each([
  [{ kind: "asking" }, ""],
  [{ kind: "saving" }, ""],
  [{ kind: "ended", saved: 2, problems: [], cancelled: false, failure: null }, "2 videos saved."],
  [{ kind: "ended", saved: 1, problems: [], cancelled: true, failure: null }, "Cancelled. 1 video saved."],
  [{ kind: "ended", saved: 0, problems: [], cancelled: false, failure: "No room." }, ""],
])("the end of a saving comes into a region that is there before: $kind, $failure", (state, text) => {
  given.state = state;
  const html = renderToStaticMarkup(
    createElement(SaveDialog, { jobs: [{ id: "a", status: "completed" } as JobFields], onClose: vi.fn() }),
  );
  expect([...html.matchAll(/<p role="status"[^>]*>(.*?)<\/p>/g)].map(([, said]) => said)).toEqual([text]);
});
