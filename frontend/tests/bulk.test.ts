import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fewAtOnce, patiently, pause } from "@/lib/bulk";
import { ApiError } from "@/lib/errors";
import { underWay } from "@/lib/late";

let page: EventTarget;

beforeEach(() => {
  vi.useFakeTimers();
  page = new EventTarget();
  vi.stubGlobal("window", page);
  vi.stubGlobal("localStorage", { getItem: () => null });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("no more work is done at once than is allowed", async () => {
  let [now, most] = [0, 0];
  const work = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, 10));
    now -= 1;
  };
  const done = fewAtOnce([1, 2, 3, 4, 5, 6, 7], work, 3);
  await vi.runAllTimersAsync();
  await done;
  expect([now, most]).toEqual([0, 3]);
});

describe("the browser asks before it leaves the page", () => {
  let record: string | null;
  const recordOf = (uid: string) =>
    JSON.stringify({ uid, stsTokenManager: { accessToken: "token", expirationTime: 0 } });
  const unending = () => new Promise<void>(() => undefined);
  /** An event whose `returnValue` can be set, as a browser's can. */
  const leaving = () =>
    Object.defineProperty(new Event("beforeunload", { cancelable: true }), "returnValue", {
      value: "",
      writable: true,
    });
  /** Whether it asks now. */
  const asks = () => !page.dispatchEvent(leaving());

  beforeEach(() => {
    record = recordOf("ann");
    vi.stubGlobal("localStorage", { getItem: () => record });
  });

  test("while work is under way, and not afterwards", async () => {
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    expect(asks()).toBe(false);
    const [first, second] = [fewAtOnce([1, 2], () => held), fewAtOnce([1, 2], async () => undefined)];
    expect(asks()).toBe(true);
    await second;
    expect(asks()).toBe(true);
    end();
    await first;
    expect(asks()).toBe(false);
  });

  test("in Chrome before 119 too, which looks at the return value alone", () => {
    const event = leaving();
    void fewAtOnce([1, 2], unending);
    page.dispatchEvent(event);
    expect(event.returnValue).toBe(true);
  });

  test("no longer once the work has failed", async () => {
    await expect(fewAtOnce([1, 2], () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(asks()).toBe(false);
  });

  test("but not when the session has ended, which leads to sign-in", async () => {
    void fewAtOnce([1, 2], unending);
    expect(asks()).toBe(true);
    record = null;
    expect(asks()).toBe(false);
  });

  test("but not when another user has signed in, for whom the page is reloaded", async () => {
    void fewAtOnce([1, 2], unending);
    record = recordOf("bob");
    expect(asks()).toBe(false);
  });

  test("but not for a single item", async () => {
    void fewAtOnce([1], unending);
    expect(asks()).toBe(false);
  });
});

test("the page does not reload by itself while work is under way, also for one item", async () => {
  const before = underWay.count;
  const done = fewAtOnce([1], async () => undefined);
  expect(underWay.count).toBe(before + 1);
  await done;
  await expect(fewAtOnce([1], () => Promise.reject(new Error("away")))).rejects.toThrow("away");
  expect(underWay.count).toBe(before);
});

test("a pause leaves nothing at its signal, and ends at once if that is aborted before or meanwhile", async () => {
  const controller = new AbortController();
  const listeners = () => getEventListeners(controller.signal, "abort").length;
  const whole = pause(1_000, controller.signal);
  await vi.advanceTimersByTimeAsync(999);
  expect(listeners()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  await whole;
  expect(listeners()).toBe(0);
  const reason = new DOMException("", "AbortError");
  const ended = expect(pause(1_000, controller.signal)).rejects.toBe(reason);
  controller.abort(reason);
  await ended;
  await expect(pause(1_000, controller.signal)).rejects.toBe(reason);
  expect([listeners(), vi.getTimerCount()]).toEqual([0, 0]);
});

describe("a request among many", () => {
  const tooMany = new ApiError("That was a lot at once.", 429, 5_000);

  test("waits as long as the service asks, and is made again", async () => {
    const request = vi.fn().mockRejectedValueOnce(tooMany).mockResolvedValue("done");
    const answer = patiently<string>(request);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(request).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toBe("done");
  });

  test("is given up in the end, and at once for any other reason", async () => {
    const request = vi.fn().mockRejectedValue(tooMany);
    const failure = patiently(request).catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    expect(await failure).toBe(tooMany);
    expect(request).toHaveBeenCalledTimes(6);
    const away = new ApiError("Away.", 503, 5_000);
    await expect(patiently(() => Promise.reject(away))).rejects.toBe(away);
    const often = new ApiError("This job has been restored many times lately.", 429, 3_540_000);
    await expect(patiently(() => Promise.reject(often))).rejects.toBe(often);
  });

  test.each([
    ["while it was made", 0],
    ["while it waits", 1_000],
  ])("is not made again, nor waited for, once its caller has cancelled %s", async (_, after) => {
    const controller = new AbortController();
    const request = vi.fn().mockRejectedValue(tooMany);
    const failed = vi.fn();
    patiently(request, controller.signal).catch(failed);
    if (after > 0) await vi.advanceTimersByTimeAsync(after);
    controller.abort();
    await vi.advanceTimersByTimeAsync(1);
    expect(failed.mock.calls).toEqual([[expect.any(DOMException)]]);
    await vi.runAllTimersAsync();
    expect(request).toHaveBeenCalledTimes(1);
  });
});
