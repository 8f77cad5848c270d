import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { messageOf, NetworkError, PartMissing } from "@/lib/errors";
import { late, reloadOnce, reloadUnseen, underWay } from "@/lib/late";

const fetch = vi.fn<typeof globalThis.fetch>();
const reload = vi.fn();
const gone = new Error("Loading chunk 7 failed.");
const MINUTE = 60_000;

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.useFakeTimers();
  vi.stubGlobal("fetch", fetch);
  vi.stubGlobal("location", { pathname: "/jobs/", reload });
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.resetAllMocks();
});

describe("a part that is loaded later", () => {
  const load = vi.fn<() => Promise<string>>();
  const loaded = async () => {
    const part = late(load).catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    return part;
  };

  test("is loaded once if that works", async () => {
    load.mockResolvedValue("part");
    expect(await loaded()).toBe("part");
    expect(load).toHaveBeenCalledOnce();
    expect(fetch).not.toHaveBeenCalled();
  });

  test("is tried a second time", async () => {
    load.mockRejectedValueOnce(gone).mockResolvedValue("part");
    expect(await loaded()).toBe("part");
  });

  test("is missing if the host of the page answers", async () => {
    load.mockRejectedValue(gone);
    fetch.mockResolvedValue(new Response());
    const error = await loaded();
    expect(error).toBeInstanceOf(PartMissing);
    expect(messageOf(error)).toMatch(/new version\. Please reload/);
    expect(fetch).toHaveBeenCalledExactlyOnceWith("/jobs/", {
      method: "HEAD",
      cache: "no-store",
      headers: { Accept: "text/html" },
    });
    expect(load).toHaveBeenCalledTimes(2);
  });

  test.each([
    ["there is no connection", () => fetch.mockRejectedValue(new TypeError("Failed to fetch"))],
    ["the host is broken", () => fetch.mockResolvedValue(new Response(null, { status: 502 }))],
  ])("cannot be reached if %s", async (_, fail) => {
    load.mockRejectedValue(gone);
    fail();
    expect(await loaded()).toBeInstanceOf(NetworkError);
  });
});

describe("a page without one of its parts", () => {
  test("is reloaded once in ten minutes, whatever the reload brings", () => {
    expect(reloadOnce(100 * MINUTE)).toBe(true);
    expect(reloadOnce(101 * MINUTE)).toBe(false);
    expect(reload).toHaveBeenCalledOnce();
    expect(reloadOnce(110 * MINUTE)).toBe(true);
  });

  test("is not reloaded while work is under way that this would end, and is afterwards", () => {
    underWay.count = 1;
    expect(reloadOnce(100 * MINUTE)).toBe(false);
    underWay.count = 0;
    expect(reloadOnce(100 * MINUTE)).toBe(true);
    expect(reload).toHaveBeenCalledOnce();
  });

  test("is not reloaded if the browser cannot remember that it was", () => {
    vi.stubGlobal("sessionStorage", {
      getItem: () => null,
      setItem: () => {
        throw new DOMException("blocked", "SecurityError");
      },
    });
    expect(reloadOnce(100 * MINUTE)).toBe(false);
    expect(reload).not.toHaveBeenCalled();
  });

  test("is reloaded while it is hidden, and only for that reason; a visible one is left to its user", () => {
    const tab = { visibilityState: "visible" };
    vi.stubGlobal("document", tab);
    reloadUnseen(new PartMissing());
    tab.visibilityState = "hidden";
    reloadUnseen(new NetworkError());
    expect(reload).not.toHaveBeenCalled();
    reloadUnseen(new PartMissing());
    expect(reload).toHaveBeenCalledOnce();
  });
});
