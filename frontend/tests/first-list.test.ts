import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { listJobs, PAGE_SIZE } from "@/lib/api";
import { scriptFor } from "@/lib/first-list-script";
import { settings } from "@/lib/settings";
import { ALL } from "@/lib/view";

vi.mock("@/lib/firebase", () => ({ currentToken: vi.fn(async () => "renewed") }));

const HOUR = 3_600_000;
const fetch = vi.fn<typeof globalThis.fetch>();
const getItem = vi.fn<(key: string) => string | null>();

function signIn(token: string, expirationTime: unknown = Date.now() + HOUR): void {
  const record = { uid: "ann", stsTokenManager: { accessToken: token, expirationTime } };
  getItem.mockImplementation((key) => (key.startsWith("firebase:authUser:") ? JSON.stringify(record) : null));
}

/** Runs the script as the head of the page does. */
function open(search = ""): void {
  vi.stubGlobal("location", { search });
  new Function(scriptFor(settings))();
}

function answer(ids: string[]): Response {
  return new Response(JSON.stringify({ jobs: ids.map((id) => ({ id })) }));
}

const ask = (view = ALL, size = PAGE_SIZE) => listJobs({ view, size, counts: true });

beforeEach(() => {
  vi.stubGlobal("firstList", undefined);
  vi.stubGlobal("fetch", fetch);
  vi.stubGlobal("localStorage", { getItem });
  signIn("stored");
});

afterEach(() => {
  vi.useRealTimers();
  vi.resetAllMocks();
});

describe("the first list of a visit", () => {
  test("is asked for by the page's head, as the page itself would, and taken once", async () => {
    fetch.mockImplementation(async () => answer([`answer ${fetch.mock.calls.length}`]));
    open();
    expect(fetch).toHaveBeenCalledTimes(1);
    expect((await ask()).jobs).toEqual([{ id: "answer 1" }]);
    expect(fetch).toHaveBeenCalledTimes(1);
    expect((await ask()).jobs).toEqual([{ id: "answer 2" }]);
    const [early, later] = fetch.mock.calls.map(
      ([url, init]) => [url, new Request(String(url), init)] as const,
    );
    expect(early?.[0]).toBe(later?.[0]);
    expect([...(early?.[1].headers ?? [])]).toEqual([...(later?.[1].headers ?? [])]);
    expect(early?.[1].credentials).toBe(later?.[1].credentials);
  });

  test("is not taken for another list, or with another token", async () => {
    fetch.mockImplementation(async () => answer([`answer ${fetch.mock.calls.length}`]));
    open();
    expect((await ask(ALL, 23)).jobs).toEqual([{ id: "answer 2" }]);
    signIn("of somebody else");
    expect((await ask()).jobs).toEqual([{ id: "answer 3" }]);
  });

  test("is not asked for if the address selects another one", () => {
    open("?status=failed");
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each([
    ["nobody is signed in", () => getItem.mockReturnValue(null)],
    [
      "the browser keeps nothing",
      () =>
        getItem.mockImplementation(() => {
          throw new Error("blocked");
        }),
    ],
    ["the record has another form", () => getItem.mockReturnValue("{}")],
    ["the token is about to expire", () => signIn("stored", Date.now() + HOUR / 15)],
    ["nobody knows when it expires", () => signIn("stored", "soon")],
  ])("is not asked for if %s", (_, given) => {
    given();
    open();
    expect(fetch).not.toHaveBeenCalled();
  });

  test("that is refused is asked for once more with a fresh token", async () => {
    fetch.mockResolvedValueOnce(new Response("{}", { status: 401 }));
    fetch.mockResolvedValueOnce(answer(["second"]));
    open();
    expect((await ask()).jobs).toEqual([{ id: "second" }]);
    expect(fetch.mock.calls[1]?.[1]?.headers).toMatchObject({ Authorization: "Bearer renewed" });
  });

  test("that fails is reported when the page asks for it", async () => {
    fetch.mockRejectedValue(new TypeError("Failed to fetch"));
    open();
    await new Promise((resolve) => setTimeout(resolve)); // no unhandled rejection meanwhile
    await expect(ask()).rejects.toThrow("connection");
  });

  test("has as long as any other request from when the page asks for it", async () => {
    vi.useFakeTimers();
    fetch.mockImplementation(
      (_, init) =>
        new Promise((_, reject) =>
          init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
        ),
    );
    open();
    const asked = ask().catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await asked).toContain("connection");
  });
});
