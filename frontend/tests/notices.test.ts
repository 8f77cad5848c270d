import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Job } from "@/lib/job";
import { isTelling, WANTED } from "@/lib/telling";

const notify = vi.hoisted(() => vi.fn());
vi.mock("@/lib/notify", () => ({ notify }));

const stored = new Map<string, string>();
const shown: { title: string; options: NotificationOptions; onclick?: () => void; close: () => void }[] = [];
let isFull = false;
let refuses = false;

class Notice {
  static permission: NotificationPermission = "default";
  static requestPermission = vi.fn(async () => Notice.permission);
  onclick?: () => void;
  close = vi.fn();
  constructor(
    readonly title: string,
    readonly options: NotificationOptions,
  ) {
    if (refuses) throw new TypeError("Illegal constructor");
    shown.push(this);
  }
}

/** As the browser's: one after the other, whichever tab asks. */
function oneAfterTheOther() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    request: (_: string, act: () => Promise<unknown>) => {
      last = last.then(act);
      return last;
    },
  };
}

/** Each tab has its own copy of the module. They share what the browser stores. */
async function openTab() {
  vi.resetModules();
  return import("@/lib/notices");
}

function job(id: string, changes: Partial<Job> = {}): Job {
  return { id, status: "completed", job_type: "animate", error_message: null, ...changes } as Job;
}

const ids = (jobs: Job[]) => jobs.map((one) => one.id);

beforeEach(() => {
  [isFull, refuses] = [false, false];
  Notice.permission = "granted";
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (isFull) throw new DOMException("full", "QuotaExceededError");
      stored.set(key, value);
    },
    removeItem: (key: string) => stored.delete(key),
  });
  vi.stubGlobal("navigator", { locks: oneAfterTheOther() });
  vi.stubGlobal("Notification", Notice);
  vi.stubGlobal("window", Object.assign(new EventTarget(), { Notification: Notice, focus: vi.fn() }));
});

afterEach(() => {
  stored.clear();
  shown.length = 0;
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

describe("of an ended job the user is told", () => {
  test("by one of several tabs, at whatever time they see it", async () => {
    const tabs = [await openTab(), await openTab(), await openTab()];
    const told = await Promise.all(tabs.map((tab) => tab.claim([job("a"), job("b")], [])));
    expect(told.map(ids)).toEqual([["a", "b"], [], []]);
    expect(ids(await (await openTab()).claim([job("b"), job("c")], []))).toEqual(["c"]);
  });

  test("again if it ends in another way", async () => {
    const tab = await openTab();
    expect(await tab.claim([job("a", { status: "failed" })], [])).toHaveLength(1);
    expect(await tab.claim([job("a")], [])).toHaveLength(1);
    expect(await tab.claim([job("a")], [])).toHaveLength(0);
  });

  const at = (minute: number) => `2026-11-26T12:${String(minute).padStart(2, "0")}:00Z`;
  const running = (minute: number, changes: Partial<Job> = {}) =>
    job("a", { status: "processing", updated_at: at(minute), completed_at: null, ...changes });

  test.each([
    ["is completed", "completed", at(2), at(6)],
    ["fails", "failed", null, null],
  ])(
    "again if it is worked on again in place and %s a second time, and by one tab",
    async (_, status, first, last) => {
      const tabs = [await openTab(), await openTab()];
      const tell = async (ended: Job, before: Job) =>
        (await Promise.all(tabs.map((tab) => tab.claim([ended], [before])))).flat().length;
      const [end, again] = [
        job("a", { status, updated_at: at(2), completed_at: first }),
        job("a", { status, updated_at: at(6), completed_at: last }),
      ];
      expect(await tell(end, running(1))).toBe(1);
      expect(await tell(again, running(5, { completed_at: first }))).toBe(1);
      // A tab that was away knows it as it was, and may read it after it was renamed.
      expect(await tell({ ...again, updated_at: at(9) }, running(4))).toBe(0);
    },
  );

  test("again if a list of completed jobs loses it and has it again", async () => {
    const tab = await openTab();
    const end = (minute: number) => job("a", { updated_at: at(minute), completed_at: at(minute) });
    expect(await tab.claim([end(2)], [])).toHaveLength(1);
    expect(await tab.claim([end(6)], [])).toHaveLength(1);
    expect(await tab.claim([end(6)], [])).toHaveLength(0);
  });

  test("once if the clock of whoever completed it is behind", async () => {
    const [tab, another] = [await openTab(), await openTab()];
    const end = job("a", { updated_at: at(4), completed_at: at(4) });
    expect(await tab.claim([end], [running(5)])).toHaveLength(1);
    expect(await another.claim([end], [running(5)])).toHaveLength(0);
  });

  test("once by each tab where the browser has no room left", async () => {
    isFull = true;
    const [tab, another] = [await openTab(), await openTab()];
    expect(ids(await tab.claim([job("a")], []))).toEqual(["a"]);
    expect(ids(await tab.claim([job("a")], []))).toEqual([]);
    expect(ids(await another.claim([job("a")], []))).toEqual(["a"]);
  });

  test("also where the browser has no locks, or what is stored is damaged", async () => {
    vi.stubGlobal("navigator", {});
    for (const damaged of ["{", '["a completed"]']) {
      stored.set("told-ends-of-jobs", damaged);
      const tab = await openTab();
      expect(ids(await tab.claim([job("a")], []))).toEqual(["a"]);
      expect(ids(await tab.claim([job("a")], []))).toEqual([]);
    }
  });

  test("and what is stored about it stays small", async () => {
    const tab = await openTab();
    for (let number = 0; number < 300; number += 1) await tab.claim([job(`job-${number}`)], []);
    const kept: [string, number][] = JSON.parse(stored.get("told-ends-of-jobs") ?? "");
    expect([kept.length, kept.at(-1)?.[0]]).toEqual([100, "job-299 completed"]);
  });
});

test("jobs have ended that were in progress, and that the list did not have before their end", async () => {
  const { endedSince } = await openTab();
  const at = (hour: number) => `2026-11-26T${hour}:00:00Z`;
  const opened = Date.parse(at(12));
  const before = [
    job("running", { status: "processing", created_at: at(11) }),
    job("done", { created_at: at(13) }),
    job("failed", { status: "failed", created_at: at(13) }),
  ];
  const now = [
    job("short", { created_at: at(14) }),
    job("new", { status: "queued", created_at: at(14) }),
    job("running", { status: "failed", created_at: at(11) }),
    ...before.slice(1),
    job("restored", { created_at: at(10) }),
    job("undated", { created_at: null }),
    job("filtered", { created_at: at(11), completed_at: at(13) }),
  ];
  expect(ids(endedSince(before, now, opened))).toEqual(["short", "running", "filtered"]);
  expect(ids(endedSince([], now.slice(4), opened))).toEqual(["failed", "filtered"]);
});

test("a notification says which job has ended and how, and leads to it", async () => {
  const { showNotification } = await openTab();
  const open = vi.fn();
  showNotification(job("0123456789", { name: "First try" }), open);
  showNotification(job("b", { status: "failed", error_message: "No person." }), open);
  showNotification(job("c", { status: "failed", error_message: "\u{1f3ac}".repeat(300) }), open);
  const long = shown.pop();
  expect([...(long?.options.body ?? "")]).toEqual(Array(200).fill("\u{1f3ac}"));
  expect(shown.map(({ title, options }) => [title, options.body, options.icon])).toEqual([
    ["First try is done", "Job 01234567", "/icon-done.svg"],
    ["Animation has failed", "No person.", "/icon-failed.svg"],
  ]);
  // The browser shows one notification of a tag, whichever tab shows it.
  expect(new Set(shown.map(({ options }) => options.tag)).size).toBe(2);
  showNotification(job("0123456789", { name: "First try" }), open);
  expect(shown.pop()?.options.tag).toBe(shown[0]?.options.tag);
  showNotification(job("0123456789", { completed_at: "2026-11-28T10:00:00Z" }), open);
  expect(shown.pop()?.options.tag).not.toBe(shown[0]?.options.tag);
  shown[0]?.onclick?.();
  expect(open).toHaveBeenCalledExactlyOnceWith("0123456789");
  expect(window.focus).toHaveBeenCalled();
  expect(shown[0]?.close).toHaveBeenCalled();
});

test("signing out turns notifications off, forgets what was told and closes what is shown", async () => {
  const { claim, showNotification, startTelling } = await openTab();
  const { forgetTelling } = await import("@/lib/telling");
  await startTelling();
  await claim([job("a")], []);
  showNotification(job("a"), vi.fn());
  expect(stored.size).toBe(2);
  forgetTelling();
  expect(stored.size).toBe(0);
  expect(shown.at(-1)?.close).toHaveBeenCalledOnce();
});

describe("notifications", () => {
  test("are on once the user has asked for them and the browser allows them", async () => {
    const { startTelling, stopTelling } = await openTab();
    const changed = vi.fn();
    window.addEventListener("storage", changed);
    expect(isTelling()).toBe(false);
    await startTelling();
    expect(isTelling()).toBe(true);
    expect(changed).toHaveBeenCalledOnce();
    expect(shown).toHaveLength(1);
    Notice.permission = "denied";
    expect(isTelling()).toBe(false);
    Notice.permission = "granted";
    stopTelling();
    expect(isTelling()).toBe(false);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  test("that nobody has asked for are off without a look at the permission, for which the page would wait", () => {
    const look = vi.fn(() => "granted");
    const permission = { get: look };
    vi.stubGlobal("Notification", Object.defineProperties({}, { permission }));
    expect(isTelling()).toBe(false);
    expect(look).not.toHaveBeenCalled();
  });

  test("are looked at anew when the permission changes in the browser's settings", async () => {
    const [permission, changed] = [new EventTarget(), vi.fn()];
    vi.stubGlobal("navigator", { permissions: { query: async () => permission } });
    window.addEventListener("storage", changed);
    const { heedPermission } = await openTab();
    const end = heedPermission();
    await Promise.resolve();
    permission.dispatchEvent(new Event("change"));
    expect(changed).toHaveBeenCalledOnce();
    end();
    permission.dispatchEvent(new Event("change"));
    expect(changed).toHaveBeenCalledOnce();
  });

  test.each([
    ["has none", {}],
    [
      "does not know this one",
      { permissions: { query: () => Promise.reject(new TypeError("no such name")) } },
    ],
  ])("do without the change of permissions where the browser %s", async (_, navigator) => {
    vi.stubGlobal("navigator", navigator);
    const { heedPermission } = await openTab();
    const end = heedPermission();
    await Promise.resolve();
    end();
  });

  test("do not tell of what was completed before they were on", async () => {
    const { isNews } = await openTab();
    const [before, later] = ["2026-11-26T11:59:00Z", "2026-11-26T12:01:00Z"];
    const jobs = [
      job("a", { completed_at: before }),
      job("b", { completed_at: later }),
      job("c", { status: "failed", completed_at: null }), // Nobody knows when.
    ];
    expect(ids(jobs.filter(isNews))).toEqual(["a", "b", "c"]);
    stored.set(WANTED, String(Date.parse("2026-11-26T12:00:00Z")));
    expect(ids(jobs.filter(isNews))).toEqual(["b", "c"]);
  });

  test("tell of what is completed afterwards also on a device whose clock is fast", async () => {
    const { isNews, startTelling } = await openTab();
    const { noteServerTime, serverNow } = await import("@/lib/server-time");
    const anHourAgo = Date.now() - 3_600_000;
    noteServerTime(new Date(anHourAgo).toUTCString());
    await startTelling();
    const at = (seconds: number) => new Date(serverNow() + 1000 * seconds).toISOString();
    expect(isNews(job("a", { completed_at: at(-60) }))).toBe(false);
    expect(isNews(job("b", { completed_at: at(60) }))).toBe(true);
  });

  test.each([
    ["the browser does not allow them", () => (Notice.permission = "denied"), "does not allow"],
    ["the browser leaves the question open", () => (Notice.permission = "default"), "does not allow"],
    ["only service workers have them", () => (refuses = true), "shows no notifications"],
    ["the browser has no room left", () => (isFull = true), "no room left"],
    ["there are none", () => vi.stubGlobal("window", {}), "shows no notifications"],
  ])("stay off if %s, and the page says so", async (_, spoil, said) => {
    const { startTelling } = await openTab();
    spoil();
    await startTelling();
    expect(stored.has(WANTED)).toBe(false);
    expect(shown).toEqual([]);
    expect(notify).toHaveBeenCalledOnce();
    expect(notify.mock.calls[0]?.[1]).toContain(said);
  });

  test("are off where the browser stores nothing or knows none", () => {
    vi.stubGlobal("localStorage", undefined);
    expect(isTelling()).toBe(false);
    vi.stubGlobal("localStorage", { getItem: () => "1" });
    vi.stubGlobal("Notification", undefined);
    expect(isTelling()).toBe(false);
  });
});
