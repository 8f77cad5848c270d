import { afterEach, expect, test, vi } from "vitest";
import { noteServerTime, serverNow } from "@/lib/server-time";

const shown = () => new Date(serverNow()).toISOString();

afterEach(() => {
  vi.useRealTimers();
});

test("the functions' time goes on from their last answer, whatever the device's clock says", () => {
  vi.useFakeTimers({ now: Date.parse("2026-11-26T13:00:00Z") }); // An hour fast.
  expect(shown()).toBe("2026-11-26T13:00:00.000Z");
  noteServerTime("Thu, 26 Nov 2026 12:00:00 GMT");
  expect(shown()).toBe("2026-11-26T12:00:00.000Z");
  vi.advanceTimersByTime(5000);
  expect(shown()).toBe("2026-11-26T12:00:05.000Z");
  for (const date of [null, "soon", "Thu, 26 Nov 2026 12:00:03 GMT"]) noteServerTime(date);
  expect(shown()).toBe("2026-11-26T12:00:05.000Z");
  vi.setSystemTime(Date.parse("2026-11-26T12:00:06Z"));
  noteServerTime("Thu, 26 Nov 2026 12:00:06 GMT");
  expect(shown()).toBe("2026-11-26T12:00:06.000Z");
});
