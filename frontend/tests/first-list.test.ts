import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { listJobs, PAGE_SIZE } from "@/lib/api";
import { scriptFor } from "@/lib/first-list-script";
import { serverNow } from "@/lib/server-time";
import { accessToken } from "@/lib/session";
import { settings } from "@/lib/settings";
import { ALL } from "@/lib/view";

vi.mock("@/lib/firebase", () => ({ currentToken: vi.fn(async () => "renewed") }));

const HOUR = 3_600_000;
const fetch = vi.fn<typeof globalThis.fetch>();
const getItem = vi.fn<(key: string) => string | null>();
const root = { dataset: {} as Record<string, string> };

function signIn(token: unknown, expirationTime: unknown = Date.now() + HOUR, uid: unknown = "ann"): void {
  const record = { uid, stsTokenManager: { accessToken: token, expirationTime } };
  getItem.mockImplementation((key) => (key.startsWith("firebase:authUser:") ? JSON.stringify(record) : null));
}

/** Runs the script as the head of the page does. */
function open(search = "", visibilityState = "visible", script = scriptFor(settings)): void {
  vi.stubGlobal("location", { search });
  vi.stubGlobal("document", { visibilityState, documentElement: root });
  new Function(script)();
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
  root.dataset = {};
  vi.useRealTimers();
  vi.resetAllMocks();
});

test("the page is as wide as the grid from the start, if that is what it will show, whoever is signed in", () => {
  open();
  expect(root.dataset).toEqual({});
  getItem.mockImplementation((key) => (key === "jobs-layout" ? "grid" : null));
  open();
  expect(root.dataset).toEqual({ layout: "grid" });
  expect(fetch).toHaveBeenCalledTimes(1);
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

  test("is cancelled and forgotten if the page asks for another list first, or with another token", async () => {
    for (const askOtherwise of [
      () => ask(ALL, 23),
      () => {
        signIn("of somebody else");
        return ask();
      },
    ]) {
      fetch.mockReset();
      fetch.mockImplementation(async () => answer([`answer ${fetch.mock.calls.length}`]));
      open();
      const early = fetch.mock.calls[0]?.[1]?.signal;
      expect((await askOtherwise()).jobs).toEqual([{ id: "answer 2" }]);
      expect(early?.aborted).toBe(true);
      expect(globalThis.firstList).toBe(undefined);
    }
  });

  test("is not taken once it is ten seconds old", async () => {
    vi.useFakeTimers();
    fetch.mockImplementation(async () => answer([`answer ${fetch.mock.calls.length}`]));
    open();
    vi.advanceTimersByTime(10_000);
    expect((await ask()).jobs).toEqual([{ id: "answer 1" }]);
    open();
    vi.advanceTimersByTime(10_001);
    expect((await ask()).jobs).toEqual([{ id: "answer 3" }]);
    expect(fetch.mock.calls[1]?.[1]?.signal?.aborted).toBe(true);
  });

  test("is not asked for while the page is hidden", () => {
    open("", "hidden");
    expect(fetch).not.toHaveBeenCalled();
  });

  test("cannot end its script, whatever the settings say", () => {
    const endpoints = { ...settings.endpoints, listJobs: "https://a.test/</script><!--" };
    const script = scriptFor({ ...settings, endpoints });
    expect(script).not.toContain("<");
    open("", "visible", script);
    expect(fetch.mock.calls[0]?.[0]).toContain("https://a.test/</script><!--/jobs?");
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
    ["the record has no token", () => signIn(undefined)],
    ["the record's token is no text", () => signIn(5)],
    ["the record names no user", () => signIn("stored", Date.now() + HOUR, null)],
    ["the token is about to expire", () => signIn("stored", Date.now() + HOUR / 15)],
    ["nobody knows when it expires", () => signIn("stored", "soon")],
    ["the time when it expires is a text", () => signIn("stored", String(Date.now() + HOUR))],
  ])("is not asked for if %s, as the page does not take such a record either", async (_, given) => {
    given();
    open();
    expect(fetch).not.toHaveBeenCalled();
    expect(await accessToken()).toBe("renewed");
  });

  test("that is refused is asked for once more with a fresh token", async () => {
    fetch.mockResolvedValueOnce(new Response("{}", { status: 401 }));
    fetch.mockResolvedValueOnce(answer(["second"]));
    open();
    expect((await ask()).jobs).toEqual([{ id: "second" }]);
    expect(fetch.mock.calls[1]?.[1]?.headers).toMatchObject({ Authorization: "Bearer renewed" });
  });

  test("that fails is asked for again, as any other, and only a second failure is reported", async () => {
    fetch.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    fetch.mockResolvedValueOnce(answer(["second"]));
    open();
    await new Promise((resolve) => setTimeout(resolve)); // no unhandled rejection meanwhile
    expect((await ask()).jobs).toEqual([{ id: "second" }]);
    fetch.mockRejectedValue(new TypeError("Failed to fetch"));
    open();
    await expect(ask()).rejects.toThrow("connection");
    expect(fetch).toHaveBeenCalledTimes(4);
  });

  test("that breaks off is asked for again", async () => {
    const broken = new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) });
    fetch.mockResolvedValueOnce(new Response(broken));
    fetch.mockResolvedValueOnce(answer(["second"]));
    open();
    expect((await ask()).jobs).toEqual([{ id: "second" }]);
  });

  test("tells the time of when it came, also if it is taken some seconds later", async () => {
    vi.useFakeTimers();
    const ahead = 1_800_000;
    const dated = async () => {
      const headers = { Date: new Date(Date.now() + ahead).toUTCString() };
      return new Response(JSON.stringify({ jobs: [] }), { headers });
    };
    fetch.mockImplementation(dated);
    open();
    await vi.advanceTimersByTimeAsync(8_000);
    await ask();
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(Math.abs(serverNow() - Date.now() - ahead)).toBeLessThan(2_000);
  });

  test("that is refused for now is not asked for again at once", async () => {
    const headers = { "Retry-After": "7" };
    fetch.mockResolvedValueOnce(new Response("{}", { status: 503, headers }));
    open();
    await expect(ask()).rejects.toMatchObject({ status: 503, retryAfter: 7000 });
    expect(fetch).toHaveBeenCalledTimes(1);
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
    expect(fetch).toHaveBeenCalledTimes(1);
  });
});
