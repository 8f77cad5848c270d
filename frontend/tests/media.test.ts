import { describe, expect, test } from "vitest";
import type { JobThumbnailsResponse } from "@/lib/job";
import { keepUrls, RENEW_BEFORE, renewalTime, tileUrl } from "@/lib/media";

const now = Date.UTC(2026, 10, 23, 12);

function media(
  name: string,
  minutesLeft: number,
  changes: Partial<JobThumbnailsResponse> = {},
): JobThumbnailsResponse {
  return {
    job_id: "job",
    reference_image_url: `https://storage.test/reference?${name}`,
    motion_video_url: `https://storage.test/motion?${name}`,
    input_video_url: null,
    output_video_url: null,
    expires_in_seconds: 60 * minutesLeft,
    expires_at: new Date(now + 60_000 * minutesLeft).toISOString(),
    ...changes,
  };
}

describe("the URLs to show after an answer", () => {
  test("are the answer's where none were shown", () => {
    expect(keepUrls(undefined, media("new", 60), now)).toEqual(media("new", 60));
  });

  test("stay as they are while they work, so that nothing is loaded twice", () => {
    const shown = media("old", 30);
    const kept = keepUrls(shown, media("new", 60), now);
    expect(kept.reference_image_url).toBe(shown.reference_image_url);
    expect(kept.motion_video_url).toBe(shown.motion_video_url);
    expect(kept.expires_at).toBe(shown.expires_at);
  });

  test("gain the output of a job that has been completed", () => {
    const output = "https://storage.test/output?new";
    const kept = keepUrls(media("old", 30), media("new", 60, { output_video_url: output }), now);
    expect(kept.output_video_url).toBe(output);
    expect(kept.motion_video_url).toBe("https://storage.test/motion?old");
  });

  test("lose a medium that has gone", () => {
    const kept = keepUrls(media("old", 30), media("new", 60, { motion_video_url: null }), now);
    expect(kept.motion_video_url).toBeNull();
  });

  test("are all new when the old ones are about to expire", () => {
    expect(keepUrls(media("old", 4), media("new", 60), now)).toEqual(media("new", 60));
  });

  test("expire with the answer's where nothing is kept", () => {
    const none = { reference_image_url: null, motion_video_url: null };
    expect(keepUrls(media("old", 30, none), media("new", 60), now).expires_at).toBe(
      media("new", 60).expires_at,
    );
  });
});

describe("the time to renew", () => {
  test("is some minutes before the first URL expires", () => {
    expect(renewalTime([media("a", 60), media("b", 50)])).toBe(now + 50 * 60_000 - RENEW_BEFORE);
  });

  test("does not come where there are no URLs", () => {
    const none = { reference_image_url: null, motion_video_url: null };
    expect(renewalTime([media("a", 1, none)])).toBeNull();
    expect(renewalTime([])).toBeNull();
  });

  test("does not mind a time that nobody can read", () => {
    const unreadable = media("a", 60, { expires_at: "soon" });
    expect(renewalTime([unreadable, media("b", 50)])).toBe(now + 50 * 60_000 - RENEW_BEFORE);
    expect(renewalTime([unreadable])).toBeNull();
  });
});

test("the source of a job without a motion video is the video that it works on", () => {
  const changes = { motion_video_url: null, input_video_url: "https://storage.test/input" };
  expect(tileUrl(media("a", 60, changes), "SRC")).toBe("https://storage.test/input");
});
