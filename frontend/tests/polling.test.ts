import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError, PartMissing, SessionEnded } from "@/lib/errors";
import type { Job } from "@/lib/job";
import {
  type Asked,
  afterBeingLookedAt,
  asks,
  backOff,
  brisk,
  isOld,
  keepAsking,
  type Pace,
  patient,
  pollsOf,
  remaining,
  slowing,
  steady,
  unasked,
  unhurried,
  untilItAsks,
} from "@/lib/polling";

const least = () => 0;
const most = () => 1;

const SECOND = 1000;
const MINUTE = 60 * SECOND;

test("active jobs are polled every ten seconds", () => {
  expect([0, 1, 50].map(steady)).toEqual([10_000, 10_000, 10_000]);
});

test("a list that could not be loaded is asked for after twenty seconds, then less and less often", () => {
  const random = vi.spyOn(Math, "random").mockReturnValue(0);
  expect([0, 1, 2, 3, 4, 50].map(patient)).toEqual([20_000, 20_000, 40_000, 80_000, 120_000, 120_000]);
  random.mockReturnValue(1);
  expect(patient(0)).toBe(26_000);
  random.mockRestore();
});

test("jobs that come back are looked for after a second, then less and less often, up to every ten seconds", () => {
  expect([0, 1, 2, 3, 4, 50].map(brisk)).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test("new jobs are looked for after a minute, then less and less often, but at least every five minutes", () => {
  expect([0, 1, 2, 3, 4, 50].map(slowing)).toEqual([60_000, 90_000, 135_000, 202_500, 300_000, 300_000]);
});

describe("which jobs are polled", () => {
  const hours = (ago: number) => new Date(Date.now() - ago * 60 * MINUTE).toISOString();
  const moving = { id: "a", status: "processing", created_at: hours(48), updated_at: hours(23) } as Job;
  const stalled = { id: "b", status: "queued", created_at: hours(48), updated_at: hours(24) } as Job;

  afterEach(() => vi.unstubAllGlobals());

  /** Returns the numbers of answers after which stalled ones are asked for too. */
  const withStalled = ({ polled }: ReturnType<typeof pollsOf>) => {
    const all = Array.from({ length: 61 }, (_, answers) => polled(answers));
    expect(all.every(([first]) => first === moving)).toBe(true);
    return all.flatMap((jobs, answers) => (jobs.includes(stalled) ? answers : []));
  };

  test("those that have changed within a day, every ten seconds, and the others every five minutes", () => {
    const polls = pollsOf([moving, stalled], true);
    expect(polls.pace).toBe(steady);
    expect(withStalled(polls)).toEqual([29, 59]);
  });

  test("those that have stalled, less and less often, if there are no others", () => {
    for (const visible of [true, false]) {
      const { polled, pace } = pollsOf([stalled], visible);
      expect([polled(1), pace]).toEqual([[stalled], slowing]);
    }
    const untold = { id: "c", status: "queued", created_at: hours(25) } as Job;
    expect(pollsOf([untold], true).pace).toBe(slowing);
  });

  test("in a hidden page those that move, each minute, and the others every five", () => {
    const polls = pollsOf([moving, stalled], false);
    expect(polls.pace).toBe(unhurried);
    expect(unhurried(50)).toBe(MINUTE);
    expect(withStalled(polls)).toEqual([4, 9, 14, 19, 24, 29, 34, 39, 44, 49, 54, 59]);
  });
});

test("a hidden page asks nothing, unless its user wants to be told", () => {
  let wanted: string | null = null;
  vi.stubGlobal("localStorage", { getItem: () => wanted });
  vi.stubGlobal("Notification", { permission: "granted" });
  vi.stubGlobal("document", { visibilityState: "hidden" });
  expect(asks()).toBe(false);
  wanted = "1";
  expect(asks()).toBe(true);
  wanted = null;
  expect(asks()).toBe(false);
  vi.stubGlobal("document", { visibilityState: "visible" });
  expect(asks()).toBe(true);
});

class Tab extends EventTarget {
  visibilityState = "hidden";

  show(state: string): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

describe("what a page asks first waits", () => {
  /** Returns a hidden tab, and whether it asks by now. */
  function open(): [Tab, () => Promise<boolean>] {
    const tab = new Tab();
    vi.stubGlobal("document", tab);
    vi.stubGlobal("window", tab);
    const asked = vi.fn();
    void untilItAsks().then(asked);
    const asksNow = async () => {
      await new Promise((resolve) => setTimeout(resolve));
      return asked.mock.calls.length > 0;
    };
    return [tab, asksNow];
  }

  afterEach(() => vi.unstubAllGlobals());

  test("until it is shown, if it is opened while hidden", async () => {
    const [tab, asksNow] = open();
    expect(await asksNow()).toBe(false);
    tab.show("hidden");
    expect(await asksNow()).toBe(false);
    tab.show("visible");
    expect(await asksNow()).toBe(true);
  });

  test("no longer than until its user wants to be told", async () => {
    let wanted: string | null = null;
    vi.stubGlobal("localStorage", { getItem: () => wanted });
    vi.stubGlobal("Notification", { permission: "granted" });
    const [tab, asksNow] = open();
    expect(await asksNow()).toBe(false);
    wanted = "1";
    tab.dispatchEvent(new Event("storage"));
    expect(await asksNow()).toBe(true);
    expect(await open()[1]()).toBe(true);
  });
});

describe("what waits until it was looked at for ten seconds", () => {
  const tab = new Tab();
  const connection = { onLine: true };
  const act = vi.fn();
  const listen = vi.spyOn(tab, "addEventListener");

  function connect(onLine: boolean): void {
    connection.onLine = onLine;
    tab.dispatchEvent(new Event(onLine ? "online" : "offline"));
  }

  beforeEach(() => {
    vi.useFakeTimers();
    for (const name of ["document", "window"]) vi.stubGlobal(name, tab);
    vi.stubGlobal("navigator", connection);
    tab.show("visible");
    connect(true);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.clearAllMocks();
  });

  test("is done then, once", () => {
    afterBeingLookedAt(10 * SECOND, act);
    vi.advanceTimersByTime(10 * SECOND - 1);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    tab.show("hidden");
    tab.show("visible");
    vi.advanceTimersByTime(MINUTE);
    expect(act).toHaveBeenCalledOnce();
  });

  test.each([
    ["hidden", () => tab.show("hidden"), () => tab.show("visible")],
    ["offline", () => connect(false), () => connect(true)],
  ])("waits anew while the page is %s", (_, leave, comeBack) => {
    afterBeingLookedAt(10 * SECOND, act);
    vi.advanceTimersByTime(9 * SECOND);
    leave();
    vi.advanceTimersByTime(MINUTE);
    comeBack();
    vi.advanceTimersByTime(9 * SECOND);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(SECOND);
    expect(act).toHaveBeenCalledOnce();
  });

  test("is never done, and listens to nothing, once it is cancelled", () => {
    const cancel = afterBeingLookedAt(10 * SECOND, act);
    cancel();
    const signals = listen.mock.calls.map(([, , options]) => (options as AddEventListenerOptions).signal);
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true, true]);
    vi.advanceTimersByTime(MINUTE);
    expect(act).not.toHaveBeenCalled();
  });
});

describe("the time to the next request after failures", () => {
  test("doubles with each failure, up to two minutes", () => {
    expect([1, 2, 3, 4, 5, 50].map((failures) => backOff(failures, steady(0), undefined, least))).toEqual([
      20_000, 40_000, 80_000, 120_000, 120_000, 120_000,
    ]);
  });

  test("has up to 30 % added at random, so that pages do not all come back at once", () => {
    expect(backOff(1, steady(0), undefined, most)).toBe(26_000);
    const delays = new Set(Array.from({ length: 20 }, () => backOff(1, steady(0))));
    expect(delays.size).toBeGreaterThan(1);
    for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(20_000);
  });

  test("is never before Retry-After, or sooner than without failures", () => {
    expect(backOff(1, steady(0), 300_000, least)).toBe(300_000);
    expect(backOff(1, steady(0), 5_000, least)).toBe(20_000);
    expect(backOff(1, slowing(9), undefined, least)).toBe(300_000);
  });

  test("follows Retry-After for an hour at most", () => {
    expect(backOff(1, steady(0), 86_400_000, least)).toBe(3_600_000);
    expect(backOff(1, steady(0), Number.POSITIVE_INFINITY, most)).toBe(1.3 * 3_600_000);
  });
});

test("a list is old after half a minute, or if it could not be loaded", () => {
  expect(isOld(MINUTE, MINUTE + 30 * SECOND)).toBe(false);
  expect(isOld(MINUTE, MINUTE + 31 * SECOND)).toBe(true);
  expect(isOld(0, MINUTE)).toBe(true);
});

test("a list that was loaded at a time yet to come is old: the clock was set back", () => {
  expect(isOld(120 * MINUTE, MINUTE)).toBe(true);
});

describe("asking again and again", () => {
  const ask = vi.fn<(signal: AbortSignal, answers: number) => Promise<void>>();
  const onFailure = vi.fn<(error: unknown) => void>();
  let began: number;
  const begin = (pace: Pace, asked: Partial<Asked> = {}) => {
    const all = { ...unasked(), at: Date.now(), ...asked };
    return { asked: all, stop: keepAsking({ ask, pace, asked: all, onFailure }) };
  };
  const times = async (milliseconds: number) => {
    const seen: number[] = [];
    ask.mockImplementation(async () => void seen.push((Date.now() - began) / SECOND));
    await vi.advanceTimersByTimeAsync(milliseconds);
    return seen;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    began = Date.now();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.resetAllMocks();
  });

  test("keeps the pace, and begins it anew after a pause", async () => {
    const { stop } = begin(slowing);
    expect(await times(10 * MINUTE)).toEqual([60, 150, 285, 487.5]);
    stop();
    expect(await times(60 * MINUTE)).toEqual([]);
    began = Date.now();
    begin(slowing);
    expect(await times(3 * MINUTE)).toEqual([60, 150]);
  });

  test("tells each request how many answers there were before", async () => {
    begin(steady);
    await times(40 * SECOND);
    expect(ask.mock.calls.map(([, answers]) => answers)).toEqual([0, 1, 2, 3]);
  });

  test("counts the time since the last request, whoever made it", async () => {
    begin(steady, { at: began - 8 * SECOND });
    expect(await times(13 * SECOND)).toEqual([2, 12]);
  });

  test("tells of the second failure in a row and of the next success", async () => {
    const { asked } = begin(steady);
    const refusal = new ApiError("Not now.", 503, 60_000);
    ask.mockRejectedValue(refusal);
    await vi.advanceTimersByTimeAsync(10 * SECOND);
    expect(onFailure).not.toHaveBeenCalled();
    expect(asked.delay).toBeGreaterThanOrEqual(60_000);
    await vi.advanceTimersByTimeAsync(78 * SECOND);
    expect(onFailure.mock.calls).toEqual([[refusal]]);
    ask.mockResolvedValue();
    await vi.advanceTimersByTimeAsync(78 * SECOND);
    expect(onFailure.mock.calls.slice(0, 2)).toEqual([[refusal], [undefined]]);
    expect(asked.failures).toBe(0);
  });

  test("goes on waiting after a pause if the last request has failed", async () => {
    begin(steady, { failures: 1, delay: MINUTE });
    expect(await times(MINUTE + SECOND)).toEqual([60]);
  });

  test("stops, and aborts the request that is under way", async () => {
    let given: AbortSignal | undefined;
    ask.mockImplementation((signal) => {
      given = signal;
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    });
    const { stop } = begin(steady);
    await vi.advanceTimersByTimeAsync(10 * SECOND);
    stop();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(given?.aborted).toBe(true);
    expect(ask).toHaveBeenCalledOnce();
    expect(onFailure).not.toHaveBeenCalled();
  });

  test("ends with the session", async () => {
    ask.mockRejectedValue(new SessionEnded());
    begin(steady);
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(ask).toHaveBeenCalledOnce();
  });

  test("reloads a hidden page once if a part of it is gone, and leaves a visible one to its user", async () => {
    const [tab, kept, reload] = [{ visibilityState: "visible" }, new Map<string, string>(), vi.fn()];
    vi.stubGlobal("document", tab);
    vi.stubGlobal("location", { reload });
    vi.stubGlobal("sessionStorage", {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
    });
    const missing = new PartMissing();
    ask.mockRejectedValue(missing);
    const { stop } = begin(steady);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(reload).not.toHaveBeenCalled();
    expect(onFailure).toHaveBeenCalledWith(missing);
    stop();
    tab.visibilityState = "hidden";
    ask.mockClear();
    begin(unhurried);
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(reload).toHaveBeenCalledOnce();
    const before = ask.mock.calls.length;
    expect(before).toBeGreaterThan(1); // The browser may keep the page, such as at its user's wish.
    begin(unhurried); // In the page that was reloaded, the part is still missing.
    await vi.advanceTimersByTimeAsync(3 * MINUTE);
    expect(reload).toHaveBeenCalledOnce();
    expect(ask.mock.calls.length).toBeGreaterThan(before);
    vi.unstubAllGlobals();
  });
});

describe("the remaining wait", () => {
  test("includes the time spent away", () => {
    expect(remaining(1_000, 10_000, 4_000)).toBe(7_000);
    expect(remaining(1_000, 10_000, 60_000)).toBe(0);
  });

  test("is no longer after the clock was set back", () => {
    expect(remaining(7_200_000, 10_000, 1_000)).toBe(10_000);
  });
});
