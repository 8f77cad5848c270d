import { describe, expect, test } from "vitest";
import { INTERVAL, nextDelay, remaining } from "@/lib/polling";

const least = () => 0;
const most = () => 1;

describe("the time to the next poll", () => {
  test("is ten seconds after a success", () => {
    expect(INTERVAL).toBe(10_000);
    expect(nextDelay(0, undefined, most)).toBe(INTERVAL);
  });

  test("doubles with each failure, up to two minutes", () => {
    expect([1, 2, 3, 4, 5, 50].map((failures) => nextDelay(failures, undefined, least))).toEqual([
      20_000, 40_000, 80_000, 120_000, 120_000, 120_000,
    ]);
  });

  test("has up to 30 % added at random, so that pages do not all come back at once", () => {
    expect(nextDelay(1, undefined, most)).toBe(26_000);
    const delays = new Set(Array.from({ length: 20 }, () => nextDelay(1)));
    expect(delays.size).toBeGreaterThan(1);
    for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(20_000);
  });

  test("is never before Retry-After", () => {
    expect(nextDelay(1, 300_000, least)).toBe(300_000);
    expect(nextDelay(1, 5_000, least)).toBe(20_000);
  });

  test("follows Retry-After for an hour at most", () => {
    expect(nextDelay(1, 86_400_000, least)).toBe(3_600_000);
    expect(nextDelay(1, Number.POSITIVE_INFINITY, most)).toBe(1.3 * 3_600_000);
  });
});

describe("the remaining wait", () => {
  test("includes the time spent away", () => {
    expect(remaining(1_000, 10_000, 4_000)).toBe(7_000);
    expect(remaining(1_000, 10_000, 60_000)).toBe(0);
  });
});
