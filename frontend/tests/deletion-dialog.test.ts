import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { DeleteDialog } from "@/components/dialogs/DeleteDialog";
import type { JobFields } from "@/lib/job";

const { buttons, confirmed } = vi.hoisted(() => ({
  buttons: new Map<string, () => void>(),
  confirmed: { jobs: undefined as JobFields[] | undefined },
}));
// The only state is what was confirmed.
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  useState: () => [confirmed.jobs, vi.fn()],
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

const jobOf = (id: string, status: string) => ({ id, status }) as JobFields;

function drawn(jobs: JobFields[], onConfirm = vi.fn(), outcomes = {}): string {
  const props = { jobs, outcomes, onConfirm, onClose: vi.fn(), listed: null };
  return renderToStaticMarkup(createElement(DeleteDialog, props));
}

test.each([
  [["completed"], "Its reference image, source and output videos"],
  [["processing"], "Its reference image and source video "],
  [["completed", "failed"], "Their reference images, source and output videos"],
  [["failed", "failed"], "Their reference images and source videos "],
  // One that is not on the page may have been completed since it was selected.
  [["processing", "failed"], "Their reference images, source and output videos"],
])("what may exist of jobs that are %s is said to be deleted", (statuses, text) => {
  confirmed.jobs = undefined;
  expect(drawn(statuses.map((status, number) => jobOf(String(number), status)))).toContain(text);
});

test("once confirmed, jobs are shown as they were then, and those that failed are deleted as they are now", async () => {
  confirmed.jobs = [jobOf("a", "queued"), jobOf("b", "failed")];
  const now = [jobOf("a", "processing"), jobOf("b", "failed")];
  const onConfirm = vi.fn();
  expect(drawn(now, onConfirm, { a: { state: "failed", reason: "No." }, b: { state: "done" } })).toContain(
    ", queued.",
  );
  buttons.get("Try the failed job again")?.();
  expect(onConfirm.mock.calls).toEqual([[[now[0]]]]);
});
