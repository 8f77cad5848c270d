import { afterEach, expect, test, vi } from "vitest";
import type { JobThumbnailsResponse } from "@/lib/job";
import { noteServerTime, serverNow } from "@/lib/server-time";

afterEach(() => {
  vi.useRealTimers();
});

test("the functions' time goes on from their last answer, whatever the device's clock says", () => {
  vi.useFakeTimers({ now: Date.parse("2026-11-26T13:00:00Z") }); // An hour fast.
  expect(new Date(serverNow()).toISOString()).toBe("2026-11-26T13:00:00.000Z");
  const media = { expires_at: "2026-11-26T12:59:00Z", expires_in_seconds: 59 * 60 };
  noteServerTime(media as JobThumbnailsResponse);
  expect(new Date(serverNow()).toISOString()).toBe("2026-11-26T12:00:00.000Z");
  vi.advanceTimersByTime(5000);
  expect(new Date(serverNow()).toISOString()).toBe("2026-11-26T12:00:05.000Z");
  noteServerTime({ ...media, expires_at: "soon" } as JobThumbnailsResponse);
  expect(new Date(serverNow()).toISOString()).toBe("2026-11-26T12:00:05.000Z");
});
