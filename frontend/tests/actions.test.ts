import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { JobActions } from "@/components/JobActions";
import { download as downloadLate } from "@/lib/actions";
import { copyShareLink, copyText } from "@/lib/copying";
import { download } from "@/lib/download";
import { NetworkError } from "@/lib/errors";
import type { Job } from "@/lib/job";

const notify = vi.hoisted(() => vi.fn());
vi.mock("@/lib/notify", () => ({ notify }));
const late = vi.hoisted(() => vi.fn());
vi.mock("@/lib/late", () => ({ late }));
const kept = vi.hoisted(() => ({ state: undefined as unknown }));
// A rendering on the server keeps no state.
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  useState: (first: unknown) => {
    kept.state ??= first;
    const set = (next: unknown) => {
      kept.state = typeof next === "function" ? next(kept.state) : next;
    };
    return [kept.state, set];
  },
}));
const buttons = new Map<string, () => void>();
const busy = new Set<string>();
vi.mock("@/components/ui/Button", () => ({
  Button: (props: { "aria-label": string; onClick: () => void; busy?: boolean }) => {
    buttons.set(props["aria-label"], props.onClick);
    busy[props.busy ? "add" : "delete"](props["aria-label"]);
    return null;
  },
}));
vi.mock("@/lib/job-calls", () => ({
  getJobOutput: async () => ({ download_url: "https://storage.test/output.mp4", filename: "nuumee-a.mp4" }),
}));

const job = { id: "a", share_url: "https://nuumee.ai/v/1" } as Job;
let showError: () => void;

beforeEach(() => {
  kept.state = undefined;
  vi.useFakeTimers();
  const addEventListener = (_: string, listener: () => void) => {
    showError = listener;
  };
  vi.stubGlobal("document", {
    createElement: () => ({ addEventListener, remove: vi.fn() }),
    body: { append: vi.fn() },
  });
  vi.stubGlobal("navigator", { clipboard: { writeText: vi.fn(async () => undefined) } });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  notify.mockReset();
});

test("a download that has begun is told, and taken back if Storage answers with an error later", async () => {
  const done = download(job);
  await vi.advanceTimersByTimeAsync(2_000);
  await done;
  expect(notify.mock.calls).toEqual([["success", "Saving nuumee-a.mp4", undefined, "download of a"]]);
  showError();
  const reason = "The output video is missing or cannot be reached.";
  expect(notify.mock.calls.slice(1)).toEqual([
    ["error", "Job a could not be downloaded", reason, "download of a"],
  ]);
});

test("a download that fails at once is told once", async () => {
  const done = download(job);
  await vi.advanceTimersByTimeAsync(100);
  showError();
  await vi.advanceTimersByTimeAsync(60_000);
  await done;
  expect(notify.mock.calls.map(([kind]) => kind)).toEqual(["error"]);
});

test("all messages about copied links have one place", async () => {
  await copyShareLink(job);
  await copyShareLink({ ...job, share_url: null });
  expect(notify.mock.calls.map(([, , , topic]) => topic)).toEqual(["copy", "copy"]);
});

test("a download that cannot even be begun says why", async () => {
  late.mockRejectedValueOnce(new NetworkError());
  await downloadLate(job);
  const reason = "The service cannot be reached. Check your connection and try again.";
  expect(notify.mock.calls).toEqual([["error", "Job a could not be downloaded", reason]]);
});

test("while a download begins, only its own job cannot be downloaded, though another takes its place", async () => {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  late.mockResolvedValue({ download: ({ id }: Job) => (id === "a" ? begun : new Promise(() => undefined)) });
  const busyWith = (id: string) => {
    renderToStaticMarkup(createElement(JobActions, { job: { ...job, id, status: "completed" } }));
    return busy.has(`Download job ${id}`);
  };
  busyWith("a");
  buttons.get("Download job a")?.();
  expect([busyWith("a"), busyWith("b")]).toEqual([true, false]);
  buttons.get("Download job b")?.();
  begin();
  await vi.advanceTimersByTimeAsync(0);
  expect([busyWith("a"), busyWith("b")]).toEqual([false, true]);
});

test("Copy Link writes to the clipboard within the click", () => {
  renderToStaticMarkup(createElement(JobActions, { job: { ...job, status: "completed" } }));
  buttons.get("Copy link for job a")?.();
  expect(navigator.clipboard.writeText).toHaveBeenCalledExactlyOnceWith(job.share_url);
});

test("a link past its end is not copied", async () => {
  await copyShareLink({ ...job, share_expires_at: "2026-11-01T00:00:00Z" });
  expect(notify.mock.calls.map(([, title]) => title)).toEqual(["This job has no share link"]);
});

test("who copies a link is offered an end date", async () => {
  const onDetails = vi.fn();
  await copyShareLink(job, onDetails);
  expect(notify.mock.calls[0]?.[4]).toEqual({ label: "End date", onClick: onDetails });
});

test("a copied text is named, and one that the browser does not copy can be selected", async () => {
  await copyText("Prompt", "a long text");
  expect(navigator.clipboard.writeText).toHaveBeenCalledExactlyOnceWith("a long text");
  vi.mocked(navigator.clipboard.writeText).mockRejectedValue(new DOMException("", "NotAllowedError"));
  await copyText("Prompt", "a long text");
  await copyShareLink(job);
  expect(notify.mock.calls.map(([kind, title, description]) => [kind, title, description])).toEqual([
    ["success", "Prompt copied", undefined],
    ["error", "The browser blocked copying.", "You can select the text and copy it by hand."],
    ["error", "The browser blocked copying. Here is the link:", job.share_url],
  ]);
});
