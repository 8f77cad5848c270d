import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeEach, expect, test, vi } from "vitest";
import { DeleteDialog } from "@/components/dialogs/DeleteDialog";
import { useDeletion } from "@/hooks/use-deletion";
import type { Outcomes } from "@/lib/deletion";
import { NetworkError } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { changes, drawn, forget } from "./kept";

const { buttons } = vi.hoisted(() => ({ buttons: new Map<string, () => Promise<void>>() }));
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  ...(await import("./kept")).hooks,
}));
vi.mock("@radix-ui/react-alert-dialog", () => {
  const Plain = ({ children }: { children?: ReactNode }) => children;
  const parts = ["Root", "Portal", "Overlay", "Content", "Title", "Description", "Cancel"];
  return Object.fromEntries(parts.map((part) => [part, Plain]));
});
vi.mock("@/components/ui/Button", () => ({
  Button: ({ children, onClick }: { children: unknown; onClick: () => Promise<void> }) => {
    buttons.set(String(children), onClick);
    return null;
  },
}));
vi.mock("@/components/ui/Modal", () => ({ ANSWERS: "", OVERLAY: "", PANEL: "" }));
vi.mock("@/hooks/use-focus-return", () => ({ useFocusReturn: vi.fn() }));
vi.mock("@/lib/late", () => ({ late: async () => Promise.reject(new NetworkError()) }));
vi.mock("@/lib/later", () => ({ loadLater: vi.fn() }));
vi.mock("@/lib/notify", () => ({ notify: vi.fn() }));

const many = Array.from(
  { length: 300 },
  (_, number) => ({ id: `job ${number}`, status: "failed" }) as JobFields,
);

beforeEach(forget);

test("the results of many jobs that are deleted are not noted one by one where they are alike", async () => {
  const list = { hide: vi.fn(), show: vi.fn(), drop: vi.fn(), refresh: vi.fn() };
  const use = () => drawn(() => useDeletion(list, vi.fn()));
  expect(await use().remove(many)).toBe(false);
  expect(Object.keys(use().outcomes)).toHaveLength(300);
  expect(Object.values(use().outcomes).every(({ state }) => state === "failed")).toBe(true);
  expect(changes.count).toBe(2);
});

test("of many jobs, those that failed are listed and a hundred of those that are left, and all are counted", async () => {
  const draw = (outcomes: Outcomes) => {
    const props = {
      jobs: many,
      outcomes,
      onConfirm: async () => {},
      onClose: vi.fn(),
      listed: [],
      movesFocus: false,
    };
    const html = drawn(() => renderToStaticMarkup(createElement(DeleteDialog, props)));
    const [, results = ""] = html.split('aria-label="The jobs and their results"');
    return { html, listed: results.match(/job \d+|and \d+ more/g) ?? [] };
  };
  const before = draw({});
  expect(before.html).toContain("0 deleted, 0 failed, 300 left");
  expect(before.listed).toHaveLength(101);
  expect(before.listed.at(-1)).toBe("and 200 more");

  await buttons.get("Delete 300 jobs")?.();
  const failed = { state: "failed" as const, reason: "Away." };
  const now = draw({ "job 0": { state: "done" }, "job 1": { state: "waiting" }, "job 299": failed });
  expect(now.html).toContain("1 deleted, 1 failed, 298 left");
  expect(now.html).toContain("Away.");
  expect(now.listed.slice(0, 3)).toEqual(["job 299", "job 1", "job 2"]);
  expect(now.listed.at(-1)).toBe("and 198 more");

  const last = draw(Object.fromEntries(many.map(({ id }) => [id, failed])));
  expect(last.listed).toHaveLength(300);
});
