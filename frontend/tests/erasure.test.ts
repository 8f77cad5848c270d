import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ErasureProgress } from "@/components/ErasureProgress";
import { begin, isConfirmed, send, describe as sentence, whatStopped } from "@/lib/erasure";
import * as session from "@/lib/session";
import { HOUR, MINUTE } from "@/lib/time";
import { folder } from "./folder";

const { polls } = vi.hoisted(() => ({ polls: [] as ((signal: AbortSignal) => Promise<void>)[] }));
vi.mock("@/hooks/use-polling", () => ({
  usePolling: (_active: boolean, _asked: unknown, _pace: unknown, poll: (typeof polls)[number]) => {
    polls.push(poll);
  },
}));

const TOO_OLD = "https://nuumee.ai/problems/sign-in-too-old";
const fetch = vi.fn<typeof globalThis.fetch>();
const endSession = vi.spyOn(session, "endSession");
const accessToken = vi.spyOn(session, "accessToken");

/** What the functions answer, each by its method and path. */
let answers: Record<string, () => Response>;

function json(status: number, body: object): () => Response {
  return () => new Response(JSON.stringify(body), { status });
}

function problem(status: number, detail: string, type?: string): () => Response {
  return json(status, { detail, type });
}

beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
  accessToken.mockResolvedValue("token");
  endSession.mockResolvedValue();
  answers = {
    "GET /jobs/erasure": problem(404, "It was never asked to delete all jobs."),
    "GET /jobs?page_size=1": json(200, { jobs: [], total: 72 }),
    "DELETE /jobs?confirm=72": json(202, { erasure: "e" }),
  };
  fetch.mockImplementation(async (url, options) => {
    const asked = `${options?.method} ${String(url).replace("https://api.nuumee.test", "")}`;
    const answer = answers[asked];
    if (!answer) throw new TypeError(`no answer to ${asked}`);
    return answer();
  });
});

afterEach(() => {
  vi.resetAllMocks();
  vi.unstubAllGlobals();
});

describe("the user is asked", () => {
  test("about the number of live jobs if none was ever erased", async () => {
    expect(await begin()).toEqual({ at: "asking", jobs: 72 });
  });

  test("again after an earlier erasure is done", async () => {
    answers["GET /jobs/erasure"] = json(200, { state: "done", jobs: 3, deleted: 3 });
    expect(await begin()).toEqual({ at: "asking", jobs: 72 });
  });

  test("nothing while an erasure is being carried out", async () => {
    answers["GET /jobs/erasure"] = json(200, { state: "pending", jobs: 3, deleted: 1 });
    expect(await begin()).toEqual({ at: "accepted" });
  });

  test("nothing if the jobs cannot be counted, but reads why", async () => {
    answers["GET /jobs?page_size=1"] = problem(503, "Please try again shortly.");
    expect(await begin()).toEqual({ at: "failed", reason: "Please try again shortly." });
  });
});

describe("a confirmed erasure", () => {
  /** Two zip files of videos. The browser has saved the first one. */
  const keepZips = () => {
    const storage = folder({ "nuumee-jobs 1.zip": HOUR, "nuumee-jobs 2.zip": MINUTE });
    vi.stubGlobal("navigator", { storage: { getDirectory: async () => storage } });
    return storage;
  };

  test("is accepted, and this browser forgets the videos that it has saved", async () => {
    const { files } = keepZips();
    expect(await send(72)).toEqual({ at: "accepted" });
    expect([...files.keys()]).toEqual(["nuumee-jobs 2.zip"]);
  });

  test("that is refused leaves the videos", async () => {
    const { files } = keepZips();
    answers["DELETE /jobs?confirm=72"] = problem(503, "Please try again shortly.");
    await send(72);
    expect(files.size).toBe(2);
  });

  test("waits for a new sign-in if the last one is too old, and the session goes on", async () => {
    answers["DELETE /jobs?confirm=72"] = problem(401, "Please sign in again.", TOO_OLD);
    expect(await send(72)).toEqual({ at: "signing in", jobs: 72 });
    expect(endSession).not.toHaveBeenCalled();
  });

  test("ends the session if the token is refused for another reason", async () => {
    answers["DELETE /jobs?confirm=72"] = problem(401, "The session was ended.", "unauthorized");
    expect(await send(72)).toEqual({ at: "loading" });
    expect(endSession).toHaveBeenCalledWith("revoked");
  });

  test("is asked for again with the new number if jobs came or went meanwhile", async () => {
    answers["DELETE /jobs?confirm=72"] = problem(409, "There are 73 jobs now.");
    answers["GET /jobs?page_size=1"] = json(200, { jobs: [], total: 73 });
    expect(await send(72)).toEqual({ at: "asking", jobs: 73, note: "There are 73 jobs now." });
  });

  test("is shown if the number is another because a request whose answer was lost has begun it", async () => {
    answers["DELETE /jobs?confirm=72"] = problem(409, "There are 12 jobs now.");
    answers["GET /jobs/erasure"] = json(200, { state: "pending", jobs: 72, deleted: 60 });
    expect(await send(72)).toEqual({ at: "accepted" });
  });

  test("that cannot be requested fails with the reason", async () => {
    answers["DELETE /jobs?confirm=72"] = problem(503, "Please try again shortly.");
    expect(await send(72)).toEqual({ at: "failed", reason: "Please try again shortly." });
    delete answers["DELETE /jobs?confirm=72"];
    expect(await send(72)).toMatchObject({
      at: "failed",
      reason: expect.stringContaining("cannot be reached"),
    });
  });

  test("that meets another number fails if the jobs cannot be counted again", async () => {
    answers["DELETE /jobs?confirm=72"] = problem(409, "There are 73 jobs now.");
    delete answers["GET /jobs?page_size=1"];
    expect(await send(72)).toMatchObject({ at: "failed" });
  });
});

describe("who has closed the dialog meanwhile is told", () => {
  test.each([
    [problem(503, "Please try again shortly."), "Please try again shortly."],
    [problem(429, "That was a lot at once."), "That was a lot at once."],
    [problem(409, "There are 73 jobs now."), "There are 73 jobs now."],
    [
      problem(401, "Please sign in again.", TOO_OLD),
      "Sign in again first: this needs a sign-in within the last five minutes.",
    ],
  ])("why a request was not accepted (%#)", async (answer, reason) => {
    answers["DELETE /jobs?confirm=72"] = answer;
    expect(whatStopped(await send(72))).toBe(reason);
  });

  test("nothing of one that was, nor while the browser leaves the page", async () => {
    expect(whatStopped(await send(72))).toBeNull();
    answers["DELETE /jobs?confirm=72"] = problem(401, "The session was ended.", "unauthorized");
    expect(whatStopped(await send(72))).toBeNull();
  });
});

test.each([
  ["pending", json(200, { state: "pending", jobs: 3, deleted: 1 }), 0, 0, 0],
  [
    "done, and only the bar, which stays, tells of it",
    json(200, { state: "done", jobs: 3, deleted: 3 }),
    1,
    1,
    0,
  ],
  ["unknown", problem(404, "It was never asked to delete all jobs."), 1, 0, 1],
])("an erasure is forgotten at its end: it is %s", async (_, answer, forgotten, told, closed) => {
  answers["GET /jobs/erasure"] = answer;
  const [removeItem, dispatchEvent, onClose] = [vi.fn(), vi.fn(), vi.fn()];
  vi.stubGlobal("localStorage", { removeItem });
  vi.stubGlobal("window", { dispatchEvent });
  renderToStaticMarkup(createElement(ErasureProgress, { userId: "ann", onClose }));
  await polls.pop()?.(new AbortController().signal);
  expect(removeItem.mock.calls).toEqual(Array(forgotten).fill(["erasing:ann"]));
  expect(dispatchEvent).toHaveBeenCalledTimes(told);
  expect(onClose).toHaveBeenCalledTimes(closed);
});

test.each(["erase everything", " Erase  Everything\n"])("“%s” confirms an erasure", (typed) => {
  expect(isConfirmed(typed)).toBe(true);
});

test.each(["", "erase", "erase everything!", "eraseeverything"])("“%s” confirms nothing", (typed) => {
  expect(isConfirmed(typed)).toBe(false);
});

test.each([
  ["pending", 3, 1, "All your jobs are being deleted."],
  ["done", 0, 0, "Everything is erased."],
  ["done", 1, 1, "Your job is deleted."],
  ["done", 3, 4, "All your 4 jobs are deleted."],
] as const)("an erasure that is %s, of %i jobs with %i deleted, reads: %s", (state, jobs, deleted, text) => {
  expect(sentence({ state, jobs, deleted })).toBe(text);
});
