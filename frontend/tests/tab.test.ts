import { afterEach, expect, test, vi } from "vitest";
import type { JobFields } from "@/lib/job";
import { isLookedAt, tabTitle } from "@/lib/tab";

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
