import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { getJobs, getJobThumbnails, listJobs, listTrash, lookForNewest, retryAfter } from "@/lib/api";
import { ApiError, messageOf, NetworkError, SessionEnded } from "@/lib/errors";
import type { FoundList } from "@/lib/job";
import {
  changeShareLink,
  deleteJob,
  endShareLink,
  getReceipt,
  makeShareLink,
  renameJob,
  restoreJob,
} from "@/lib/job-calls";
import * as session from "@/lib/session";
import { ALL, type View } from "@/lib/view";

const all: View = { ...ALL, details: null };
const plain = { view: all, size: 20, counts: false };
/** The second page, after a first one that five new jobs have come to. */
const after: FoundList = { jobs: Array(20), before: 25, total: 72, page: 2, next_cursor: "abc" };
const fetch = vi.fn<typeof globalThis.fetch>();
const endSession = vi.spyOn(session, "endSession");
const accessToken = vi.spyOn(session, "accessToken");

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
}

function asked(call = 0): URL {
  return new URL(String(fetch.mock.calls[call]?.[0]));
}

beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
  accessToken.mockImplementation(async (fresh) => (fresh ? "fresh" : "stored"));
  endSession.mockResolvedValue();
});

afterEach(() => vi.resetAllMocks());

describe("listing jobs", () => {
  test("sends one request for jobs and media, with the token in a header", async () => {
    fetch.mockResolvedValue(answer(200, { jobs: [] }));
    await listJobs({ ...plain, counts: true });
    expect(asked().href).toBe("https://api.nuumee.test/jobs?page_size=20&include=media%2Ccounts");
    expect(fetch.mock.calls[0]?.[1]).toMatchObject({
      method: "GET",
      headers: { Authorization: "Bearer stored" },
      credentials: "omit",
    });
  });

  test("asks for a page by cursor if there is one, else by number", async () => {
    fetch.mockImplementation(async () => answer(200, { jobs: [] }));
    const failed = { ...all, statuses: ["failed" as const], page: 3 };
    await listJobs({ ...plain, view: failed, after });
    await listJobs({ ...plain, view: { ...all, search: "70eb", by: "id", page: 3 } });
    expect(Object.fromEntries(asked(0).searchParams)).toMatchObject({ status: "failed", cursor: "abc" });
    expect(asked(0).searchParams.has("page")).toBe(false);
    expect(Object.fromEntries(asked(1).searchParams)).toMatchObject({ id_prefix: "70eb", page: "3" });
  });

  test("counts the jobs on the pages before", async () => {
    fetch.mockImplementation(async () => answer(200, { jobs: [], page: 3 }));
    const view = { ...all, page: 3 };
    expect(await listJobs({ ...plain, view, after })).toMatchObject({ before: 45 });
    expect(await listJobs({ ...plain, view })).toMatchObject({ before: 40 });
    expect(await listJobs({ ...plain, view, after: { ...after, next_cursor: null } })).toMatchObject({
      before: 40,
    });
  });

  test("asks for as many jobs as it should", async () => {
    fetch.mockResolvedValue(answer(200, { jobs: [] }));
    await listJobs({ ...plain, size: 23 });
    expect(asked().searchParams.get("page_size")).toBe("23");
  });

  test("looks for the newest job with one read, without media or counts", async () => {
    fetch.mockImplementation(async () => answer(200, { jobs: [{ id: "a" }], total: 7 }));
    expect(await lookForNewest(all)).toEqual({ jobs: [{ id: "a" }], total: 7 });
    await lookForNewest({ ...all, statuses: ["failed", "other"], oldest: true });
    expect([asked(0).search, asked(1).search]).toEqual([
      "?page_size=1",
      "?page_size=1&status=failed%2Cother&sort=oldest",
    ]);
  });

  test("sends the whole filter, with days as times in the reader's zone", async () => {
    vi.stubEnv("TZ", "America/New_York");
    fetch.mockResolvedValue(answer(200, { jobs: [] }));
    // The clocks go back on the first of November 2026.
    const view = { ...all, types: ["animate", "extend"], from: "2026-10-31", to: "2026-11-01" };
    await listJobs({ ...plain, view });
    expect(Object.fromEntries(asked().searchParams)).toEqual({
      page_size: "20",
      include: "media",
      type: "animate,extend",
      created_after: "2026-10-31T04:00:00.000Z",
      created_before: "2026-11-02T05:00:00.000Z",
    });
    vi.unstubAllEnvs();
  });

  test("asks for certain jobs by their ids", async () => {
    fetch.mockResolvedValue(answer(200, { jobs: [{ id: "a" }] }));
    expect(await getJobs(["a", "b"])).toEqual([{ id: "a" }]);
    expect(asked().searchParams.get("ids")).toBe("a,b");
  });
});

describe("a search", () => {
  const found = (total: number, counts?: object) =>
    answer(200, { jobs: [], total, ...(counts && { counts }) });
  const search = (text: string, by: View["by"] = null) => ({
    ...plain,
    counts: true,
    view: { ...all, search: text, by },
  });

  test("looks at ids first if the text looks like one, else at names, and at the other if that finds nothing", async () => {
    fetch.mockImplementation(async () => found(0, { all: 72 }));
    expect(await listJobs(search("70eb"))).toMatchObject({ by: "name", total: 0, counts: { all: 72 } });
    expect([asked(0).search, asked(1).search]).toEqual([
      "?page_size=20&include=media%2Ccounts&id_prefix=70eb",
      "?page_size=20&include=media&name_prefix=70eb",
    ]);
    await listJobs(search("Cat"));
    expect([asked(2).searchParams.get("name_prefix"), asked(3).searchParams.get("id_prefix")]).toEqual([
      "Cat",
      "Cat",
    ]);
  });

  test("keeps to what finds something, to what the user chose and to what is possible", async () => {
    fetch.mockImplementation(async () => found(3));
    expect(await listJobs(search("70eb"))).toMatchObject({ by: "id", total: 3 });
    fetch.mockImplementation(async () => found(0));
    expect(await listJobs(search("70eb", "name"))).toMatchObject({ by: "name" });
    expect(await listJobs(search("First try"))).toMatchObject({ by: "name" });
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  test("goes on to the next page where the one before was found", async () => {
    fetch.mockImplementation(async () => found(30));
    const next = { ...search("70eb"), after: { ...after, by: "name" as const } };
    expect(await listJobs(next)).toMatchObject({ by: "name" });
    expect(asked().search).toBe("?page_size=20&include=media%2Ccounts&name_prefix=70eb&cursor=abc");
  });
});

describe("an error", () => {
  test("has the server's own sentence as its message", async () => {
    fetch.mockResolvedValue(answer(503, { detail: "Firestore cannot be reached." }, { "Retry-After": "5" }));
    const error = await listJobs(plain).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 503, retryAfter: 5000, message: "Firestore cannot be reached." });
  });

  test.each(["<html>Bad gateway</html>", "{}", "null", '{"detail": 7}', ""])(
    "with the body %j still has a message",
    async (body) => {
      fetch.mockResolvedValue(answer(502, body));
      await expect(listJobs(plain)).rejects.toThrow("The service returned an error (502).");
    },
  );

  test("of the network has a message that the user can understand", async () => {
    fetch.mockRejectedValue(new TypeError("Failed to fetch"));
    const error = await listJobs(plain).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NetworkError);
    expect(messageOf(error)).toContain("cannot be reached");
  });

  test("in the middle of a response is a network error", async () => {
    fetch.mockResolvedValue(answer(200, '{"jobs": ['));
    await expect(listJobs(plain)).rejects.toBeInstanceOf(NetworkError);
  });

  test("in the page's own code is not shown verbatim", () => {
    expect(messageOf(new TypeError("x is undefined"))).not.toContain("undefined");
  });
});

test("a request leaves neither a listener nor a timer behind, however it ends", async () => {
  vi.useFakeTimers();
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, "addEventListener");
  const removed = vi.spyOn(signal, "removeEventListener");
  fetch.mockResolvedValueOnce(answer(200, { jobs: [] })).mockResolvedValueOnce(answer(401, {}));
  fetch.mockRejectedValue(new TypeError("Failed to fetch"));
  await getJobs(["a"], signal);
  await getJobs(["a"], signal).catch(() => undefined);
  expect(added).toHaveBeenCalledTimes(2);
  expect(removed.mock.calls).toEqual(added.mock.calls);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test("an aborted request is not a network error", async () => {
  const controller = new AbortController();
  fetch.mockImplementation((_, options) => {
    controller.abort();
    return Promise.reject(options?.signal?.reason);
  });
  await expect(getJobs(["a"], controller.signal)).rejects.toMatchObject({ name: "AbortError" });
});

describe("a request that is aborted while waiting for the token", () => {
  test("is never sent", async () => {
    const controller = new AbortController();
    accessToken.mockImplementation(async () => {
      controller.abort();
      return "renewed";
    });
    await expect(getJobs(["a"], controller.signal)).rejects.toMatchObject({ name: "AbortError" });
    expect(fetch).not.toHaveBeenCalled();
  });

  test("is not repeated with a fresh token", async () => {
    const controller = new AbortController();
    accessToken.mockImplementation(async (fresh) => {
      if (fresh) controller.abort();
      return "token";
    });
    fetch.mockImplementation(async () => answer(401, {}));
    await expect(getJobs(["a"], controller.signal)).rejects.toMatchObject({ name: "AbortError" });
    expect(fetch).toHaveBeenCalledOnce();
    expect(endSession).not.toHaveBeenCalled();
  });
});

describe("a refused token", () => {
  test("is replaced once, and the request is repeated", async () => {
    fetch.mockResolvedValueOnce(answer(401, {})).mockResolvedValueOnce(answer(200, { job_id: "a" }));
    expect(await getJobThumbnails("a")).toEqual({ job_id: "a" });
    expect(accessToken.mock.calls).toEqual([[], [true]]);
    expect(endSession).not.toHaveBeenCalled();
  });

  test("ends the session if a fresh token is refused too", async () => {
    fetch.mockImplementation(async () => answer(401, {}));
    await expect(deleteJob("a")).rejects.toBeInstanceOf(SessionEnded);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(endSession).toHaveBeenCalledExactlyOnceWith("revoked");
  });

  test("ends the session if there is no fresh token", async () => {
    accessToken.mockRejectedValue(new SessionEnded());
    await expect(listJobs(plain)).rejects.toBeInstanceOf(SessionEnded);
    expect(fetch).not.toHaveBeenCalled();
    expect(endSession).toHaveBeenCalledExactlyOnceWith("revoked");
  });
});

describe("a deletion", () => {
  test("of a job that is already gone succeeds", async () => {
    fetch.mockResolvedValue(answer(404, { detail: "There is no such job." }));
    await expect(deleteJob("a")).resolves.toBeUndefined();
  });

  test("goes on when the page is closed, as a restore does; what is read or has a body does not", async () => {
    fetch.mockImplementation(async () => answer(200, { jobs: [] }));
    await deleteJob("a");
    await restoreJob("a");
    await listJobs(plain);
    await renameJob("a", "First try");
    expect(fetch.mock.calls.map(([, options]) => options?.keepalive)).toEqual([true, true, false, false]);
  });

  test("answers whether there was anything to delete", async () => {
    fetch.mockResolvedValue(answer(202, { job_id: "a", purge: "pending" }));
    await expect(deleteJob("a")).resolves.toMatchObject({ job_id: "a" });
  });

  test("that fails throws the server's message", async () => {
    fetch.mockResolvedValue(answer(500, { detail: "Something went wrong on our side." }));
    await expect(deleteJob("a")).rejects.toThrow("Something went wrong on our side.");
  });
});

describe("the trash", () => {
  test("is asked for by cursor if there is one, else by number", async () => {
    fetch.mockImplementation(async () => answer(200, { jobs: [], total: 0 }));
    await listTrash(1, undefined);
    await listTrash(3, undefined);
    await listTrash(3, "abc");
    expect([0, 1, 2].map((call) => asked(call).search)).toEqual([
      "?deleted=true&page_size=20",
      "?deleted=true&page_size=20&page=3",
      "?deleted=true&page_size=20&cursor=abc",
    ]);
  });

  test("gives a job back, and a receipt", async () => {
    fetch.mockImplementation(async () => answer(202, { job_id: "a", restore: "pending" }));
    expect(await restoreJob("a")).toEqual({ job_id: "a", restore: "pending" });
    await getReceipt("a/b");
    expect([0, 1].map((call) => [fetch.mock.calls[call]?.[1]?.method, asked(call).pathname])).toEqual([
      ["POST", "/jobs/a/restore"],
      ["GET", "/jobs/a%2Fb/deletion"],
    ]);
  });

  test("says in the server's words that a job is gone for good", async () => {
    const reason = "The job's files are gone for good, so it can no longer be restored.";
    fetch.mockResolvedValue(answer(410, { detail: reason }));
    await expect(restoreJob("a")).rejects.toThrow(reason);
  });
});

describe("a new name", () => {
  test("is sent as JSON with PATCH, and is what the functions made of it", async () => {
    fetch
      .mockResolvedValueOnce(answer(401, {}))
      .mockImplementation(async () => answer(200, { id: "a", name: "First try" }));
    expect(await renameJob("a", " First try")).toEqual({ id: "a", name: "First try" });
    await renameJob("a", null);
    expect(asked().href).toBe("https://api.nuumee.test/jobs/a");
    expect(fetch.mock.calls.map(([, options]) => options?.body)).toEqual([
      '{"name":" First try"}',
      '{"name":" First try"}',
      '{"name":null}',
    ]);
    expect(fetch.mock.calls[1]?.[1]).toMatchObject({
      method: "PATCH",
      headers: { Authorization: "Bearer fresh", "Content-Type": "application/json" },
    });
  });

  test("that is refused throws the server's reason", async () => {
    const reason = "name must have at most 80 characters; this one has 81.";
    fetch.mockResolvedValue(answer(400, { detail: reason }));
    await expect(renameJob("a", "a".repeat(81))).rejects.toThrow(reason);
  });
});

describe("a share link", () => {
  test("gets an end date, or none, and shows the name", async () => {
    const share = { job_id: "a", share_url: "https://nuumee.ai/v/1", expires_at: "2026-12-03T12:00:00Z" };
    fetch.mockImplementation(async () => answer(200, share));
    expect(await changeShareLink("a", { expires_at: share.expires_at })).toEqual(share);
    await changeShareLink("a", { expires_at: null });
    await changeShareLink("a", { share_name: true });
    expect(fetch.mock.calls.map(([, init]) => [init?.method, init?.body])).toEqual([
      ["PATCH", `{"expires_at":"${share.expires_at}"}`],
      ["PATCH", '{"expires_at":null}'],
      ["PATCH", '{"share_name":true}'],
    ]);
    expect(asked().pathname).toBe("/jobs/a/share");
  });

  test("is made with POST and ended with DELETE at the same address", async () => {
    fetch.mockImplementation(async () => answer(200, { job_id: "a", share_url: null }));
    expect(await makeShareLink("a")).toEqual({ job_id: "a", share_url: null });
    await endShareLink("a");
    expect([asked(0).pathname, asked(1).pathname]).toEqual(["/jobs/a/share", "/jobs/a/share"]);
    expect(fetch.mock.calls.map(([, options]) => options?.method)).toEqual(["POST", "DELETE"]);
  });

  test("of a job that is gone cannot be ended, and the error says so", async () => {
    fetch.mockResolvedValue(answer(404, { detail: "There is no such job." }));
    await expect(endShareLink("a")).rejects.toThrow("There is no such job.");
  });
});

test.each([
  [null, undefined],
  ["7", 7000],
  ["0", 0],
  ["Mon, 23 Nov 2026 12:00:30 GMT", 30_000],
  ["Mon, 23 Nov 2026 11:00:00 GMT", 0],
  ["soon", undefined],
])("Retry-After: %s means waiting %s ms", (header, milliseconds) => {
  expect(retryAfter(header, Date.UTC(2026, 10, 23, 12))).toBe(milliseconds);
});
