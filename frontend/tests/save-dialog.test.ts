import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SaveDialog } from "@/components/dialogs/SaveDialog";
import { ApiError } from "@/lib/errors";
import type { JobFields } from "@/lib/job";
import { drawn, forget } from "./kept";

const { buttons, chosenFolder, end } = vi.hoisted(() => ({
  buttons: new Map<string, () => Promise<void>>(),
  chosenFolder: vi.fn(),
  end: vi.fn(),
}));
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  ...(await import("./kept")).hooks,
}));
vi.mock("@/components/ui/Modal", () => ({
  ANSWERS: "",
  Modal: ({ children }: { children: ReactNode }) => children,
}));
vi.mock("@/components/ui/Button", () => ({
  Button: ({ children, onClick }: { children: unknown; onClick: () => Promise<void> }) => {
    buttons.set(String(children), onClick);
    return null;
  },
}));
vi.mock("@/lib/job-calls", () => ({
  getJobOutput: () => Promise.reject(new ApiError("Gone.", 404, undefined)),
}));
vi.mock("@/lib/targets", () => ({ wayToSave: () => "folder", chosenFolder }));

function draw(): string {
  const props = { jobs: [{ id: "a", status: "completed" } as JobFields], onClose: vi.fn() };
  buttons.clear();
  return drawn(() => renderToStaticMarkup(createElement(SaveDialog, props)));
}

beforeEach(() => {
  forget();
  vi.stubGlobal("window", new EventTarget());
  chosenFolder.mockResolvedValue({ atOnce: 1, sizeOf: async () => null, textOf: async () => null, end });
});
afterEach(() => vi.unstubAllGlobals());

test("who chooses no folder is asked as before", async () => {
  chosenFolder.mockRejectedValue(new DOMException("The user aborted a request.", "AbortError"));
  const before = draw();
  await buttons.get("Choose a folder")?.();
  expect(draw()).toBe(before);
});

test("a list that the browser refuses ends the saving, and is told", async () => {
  end.mockRejectedValue(new DOMException("Write operation blocked by Safe Browsing.", "AbortError"));
  draw();
  await buttons.get("Choose a folder")?.();
  const lost = "What was received is in the folder, but not the list of the jobs.";
  expect(draw()).toContain(`<p role="alert">${lost} The browser refused to keep the file.</p>`);
  expect([...buttons.keys()]).toEqual(["Close", "Save the rest"]);
});
