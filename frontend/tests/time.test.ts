import { describe, expect, test, vi } from "vitest";
import { formatAge, formatDate, formatElapsed, formatExact, parseTime } from "@/lib/time";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("elapsed time", () => {
  test.each([
    [0, "0s"],
    [999, "0s"],
    [45 * SECOND, "45s"],
    [MINUTE - 1, "59s"],
    [MINUTE, "1m 0s"],
    [2 * MINUTE + 30 * SECOND, "2m 30s"],
    [HOUR, "1h 0m 0s"],
    [HOUR + 2 * MINUTE + 3 * SECOND, "1h 2m 3s"],
    [DAY - 1, "23h 59m 59s"],
    [3 * DAY + 4 * HOUR + 5 * MINUTE, "3d 4h"],
  ])("of %i ms reads %s", (milliseconds, text) => {
    expect(formatElapsed(milliseconds)).toBe(text);
  });

  test("is zero if the server's clock is ahead", () => {
    expect(formatElapsed(-5 * SECOND)).toBe("0s");
  });
});

describe("an age", () => {
  const now = Date.UTC(2026, 10, 23, 12);
  test.each([
    [0, "just now"],
    [59 * SECOND, "just now"],
    [5 * MINUTE, "5 min. ago"],
    [3 * HOUR, "3 hr. ago"],
    [DAY, "1 day ago"],
    [2 * DAY - 1, "1 day ago"],
    [2 * DAY, "2 days ago"],
    [6 * DAY, "6 days ago"],
  ])("of %i ms reads %s", (age, text) => {
    expect(formatAge(now - age, now)).toBe(text);
  });

  test("of more than a week reads as a date", () => {
    expect(formatAge(now - 8 * DAY, now)).toBe("Nov 15, 2026");
    expect(formatAge(now - 18 * DAY, now)).toBe("Nov 5, 2026");
  });

  test("makes no formatter, which would keep a phone busy", async () => {
    vi.resetModules();
    const { formatAge, formatDate } = await import("@/lib/time");
    const made = [
      vi.spyOn(Intl, "RelativeTimeFormat"),
      vi.spyOn(Intl, "DateTimeFormat"),
      vi.spyOn(Date.prototype, "toLocaleDateString"),
      vi.spyOn(Date.prototype, "toLocaleString"),
    ];
    for (const age of [5 * MINUTE, 3 * HOUR, DAY, 8 * DAY]) formatAge(now - age, now);
    formatDate("2026-12-03T12:00:00Z");
    for (const formatter of made) expect(formatter).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  test("in the future reads just now", () => {
    expect(formatAge(now + HOUR, now)).toBe("just now");
  });
});

describe("a time from the API", () => {
  test("is parsed with fractions of a second", () => {
    expect(parseTime("2026-11-22T12:00:00.123456Z")).toBe(Date.UTC(2026, 10, 22, 12, 0, 0, 123));
  });

  test.each([null, "", "yesterday"])("of %o is unknown", (time) => {
    expect(parseTime(time)).toBeNull();
    expect(formatExact(time)).toBe("Unknown");
  });
});

test("a date has no time of day, and is unknown if it is no time", () => {
  expect(formatDate("2026-12-03T12:00:00Z")).toBe("Dec 3, 2026");
  expect([formatDate(null), formatDate("soon")]).toEqual(["Unknown", "Unknown"]);
});
