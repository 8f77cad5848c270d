import { afterEach, describe, expect, test, vi } from "vitest";
import type { JobFields } from "@/lib/job";
import { isLookedAt, tabTitle, untilNobodyLooks } from "@/lib/tab";

const done = { status: "completed" } as JobFields;
const failed = { status: "failed" } as JobFields;

afterEach(() => vi.unstubAllGlobals());

test.each<[string, JobFields[], string | null]>([
  ["Jobs", [], null],
  ["Processing 2m 30s · Jobs", [], "Processing 2m 30s"],
  ["✓ 1 done · Jobs", [done], "Processing 2m 30s"],
  ["✗ 1 failed · Jobs", [failed], null],
  ["✓ 2 done, ✗ 1 failed · Jobs", [done, failed, done], null],
])("the tab's title is %s", (title, ended, elapsed) => {
  expect(tabTitle("Jobs", ended, elapsed)).toBe(title);
});

test.each([
  ["visible", true, true],
  ["visible", false, false],
  ["hidden", true, false],
] as const)(
  "a page that is %s, with the focus or not (%s), is looked at or not (%s)",
  (state, focus, looked) => {
    vi.stubGlobal("document", { visibilityState: state, hasFocus: () => focus });
    expect(isLookedAt()).toBe(looked);
  },
);

describe("while a tab is looked at, the others wait", () => {
  /** Web Locks of one name, as https://w3c.github.io/web-locks/ has them: first come, first served, shared ones together. */
  function locks() {
    let last: Promise<unknown> = Promise.resolve();
    let shared: Promise<unknown>[] | null = null;
    return {
      request: (_: string, given: { mode: string } | (() => unknown), act?: () => unknown) => {
        const [mode, run] = typeof given === "function" ? ["exclusive", given] : [given.mode, act];
        if (mode === "exclusive") {
          const before = shared ? Promise.all([last, ...shared]) : last;
          shared = null;
          last = before.then(run);
          return last;
        }
        const done = last.then(run);
        shared = [...(shared ?? []), done];
        return done;
      },
    };
  }

  /** Each tab has its own copy of the module. */
  async function openTab() {
    vi.resetModules();
    return import("@/lib/tab");
  }

  async function isOver(waiting: Promise<unknown>): Promise<boolean> {
    const over = vi.fn();
    void waiting.then(over);
    await new Promise((resolve) => setTimeout(resolve));
    return over.mock.calls.length > 0;
  }

  test("until none is", async () => {
    vi.stubGlobal("navigator", { locks: locks() });
    const [tab, another] = [await openTab(), await openTab()];
    for (const looked of [true, true]) tab.noteLook(looked);
    another.noteLook(true);
    const waiting = (await openTab()).untilNobodyLooks();
    expect(await isOver(waiting)).toBe(false);
    tab.noteLook(false);
    expect(await isOver(waiting)).toBe(false);
    another.noteLook(false);
    expect(await isOver(waiting)).toBe(true);
  });

  test("not at all if it is no longer looked at before the browser knew", async () => {
    vi.stubGlobal("navigator", { locks: locks() });
    const tab = await openTab();
    for (const looked of [true, false]) tab.noteLook(looked);
    expect(await isOver((await openTab()).untilNobodyLooks())).toBe(true);
    tab.noteLook(true);
    expect(await isOver((await openTab()).untilNobodyLooks())).toBe(false);
  });

  test("not where the browser has no locks", async () => {
    vi.stubGlobal("navigator", {});
    const tab = await openTab();
    tab.noteLook(true);
    tab.noteLook(false);
    expect(await isOver(untilNobodyLooks())).toBe(true);
  });
});
