import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { DeleteDialog } from "@/components/dialogs/DeleteDialog";
import type { Job, JobFields } from "@/lib/job";

const { buttons, confirmed } = vi.hoisted(() => ({
  buttons: new Map<string, () => void>(),
  confirmed: { state: undefined as { jobs: JobFields[]; listed: Job[] } | undefined },
}));
// The only state is what was confirmed.
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  useState: () => [confirmed.state, vi.fn()],
}));
vi.mock("@radix-ui/react-alert-dialog", () => {
  const Plain = ({ children }: { children: ReactNode }) => children;
  return {
    Root: Plain,
    Portal: Plain,
    Overlay: () => null,
    Content: Plain,
    Title: Plain,
    Description: Plain,
    Cancel: Plain,
  };
});
vi.mock("@/hooks/use-focus-return", () => ({ useFocusReturn: () => vi.fn() }));
vi.mock("@/components/ui/Modal", () => ({ ANSWERS: "", OVERLAY: "", PANEL: "" }));
vi.mock("@/components/ui/Button", () => ({
  Button: ({ children, onClick }: { children: ReactNode; onClick: () => void }) => {
    buttons.set([children].flat().join(""), onClick);
    return null;
  },
}));

const jobOf = (id: string, status: string) => ({ id, status }) as Job;

function drawn(jobs: Job[], { onConfirm = vi.fn(), outcomes = {}, listed = jobs } = {}): string {
  const props = { jobs, outcomes, onConfirm, onClose: vi.fn(), listed, movesFocus: false };
  return renderToStaticMarkup(createElement(DeleteDialog, props));
}

test.each([
  [["completed"], "Its reference image, source and output videos"],
  [["processing"], "Its reference image and source video "],
  [["completed", "failed"], "Their reference images, source and output videos"],
  [["processing", "failed"], "Their reference images and source videos "],
])("what may exist of jobs that are %s is said to be deleted", (statuses, text) => {
  confirmed.state = undefined;
  expect(drawn(statuses.map((status, number) => jobOf(String(number), status)))).toContain(text);
});

test.each([
  ["one", "Its reference image, source and output videos", [jobOf("a", "processing")]],
  [
    "several",
    "Their reference images, source and output videos",
    [jobOf("a", "processing"), jobOf("b", "failed")],
  ],
])("of %s in progress that is no longer on the page, an output may be deleted", (_, text, jobs) => {
  confirmed.state = undefined;
  expect(drawn(jobs, { listed: jobs.slice(1) })).toContain(text);
});

test("once confirmed, jobs are shown as they were then, and those that failed are deleted as they are now", async () => {
  const jobs = [jobOf("a", "queued"), jobOf("b", "failed")];
  confirmed.state = { jobs, listed: jobs };
  const now = [jobOf("a", "processing"), jobOf("b", "failed")];
  const onConfirm = vi.fn();
  const outcomes = { a: { state: "failed", reason: "No." }, b: { state: "done" } };
  // Once they are being deleted, the page has none of them.
  const text = drawn(now, { onConfirm, outcomes, listed: [] });
  expect(text).toContain(", queued.");
  expect(text).toContain("Their reference images and source videos ");
  buttons.get("Try the failed job again")?.();
  expect(onConfirm.mock.calls).toEqual([[[now[0]]]]);
});
