import { describe, expect, test } from "vitest";
import type { JobThumbnailsResponse } from "@/lib/job";
import {
  broughtBy,
  inOrder,
  keepUrls,
  originalUrl,
  RENEW_BEFORE,
  renewalCanHelp,
  renewalTime,
  tileMedia,
  urlToShow,
  withRenewed,
} from "@/lib/media";
import { standInUrl } from "@/lib/stand-in";

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
    reference_poster_url: null,
    motion_poster_url: null,
    output_poster_url: null,
    motion_preview_url: null,
    output_preview_url: null,
    reference_view_url: null,
    output_storyboard_url: null,
    playable: { reference_image: true, motion_video: true, input_video: null, output_video: null },
    expires_at: new Date(now + 60_000 * minutesLeft).toISOString(),
    ...changes,
  };
}

describe("the URLs to show after a response", () => {
  test("are the new ones if none were shown", () => {
    expect(keepUrls(undefined, media("new", 60), now)).toEqual(media("new", 60));
  });

  test("stay while they work, so that nothing is loaded twice", () => {
    const shown = media("old", 30);
    const kept = keepUrls(shown, media("new", 60), now);
    expect(kept.reference_image_url).toBe(shown.reference_image_url);
    expect(kept.motion_video_url).toBe(shown.motion_video_url);
    expect(kept.expires_at).toBe(shown.expires_at);
  });

  test("gain the output once the job is completed", () => {
    const output = "https://storage.test/output?new";
    const kept = keepUrls(media("old", 30), media("new", 60, { output_video_url: output }), now);
    expect(kept.output_video_url).toBe(output);
    expect(kept.motion_video_url).toBe("https://storage.test/motion?old");
  });

  test("gain new posters and previews, and keep those that are shown", () => {
    const made = (name: string) => ({
      reference_poster_url: `https://storage.test/poster?${name}`,
      motion_preview_url: `https://storage.test/preview?${name}`,
    });
    const shown = media("old", 30, made("old"));
    const kept = keepUrls(shown, media("new", 60, { ...made("new"), output_poster_url: "later" }), now);
    expect(kept).toMatchObject({ ...made("old"), output_poster_url: "later" });
    expect(keepUrls(media("old", 30), media("new", 60, made("new")), now)).toMatchObject(made("new"));
  });

  test("are new for a medium that has become another object, and others stay", () => {
    const other = "https://storage.test/second/motion?new";
    const kept = keepUrls(media("old", 30), media("new", 60, { motion_video_url: other }), now);
    expect(kept.motion_video_url).toBe(other);
    expect(kept.reference_image_url).toBe("https://storage.test/reference?old");
    expect(kept.expires_at).toBe(media("old", 30).expires_at);
  });

  test("lose a medium that is gone", () => {
    const kept = keepUrls(media("old", 30), media("new", 60, { motion_video_url: null }), now);
    expect(kept.motion_video_url).toBeNull();
  });

  test("are all replaced when the old ones are about to expire", () => {
    expect(keepUrls(media("old", 4), media("new", 60), now)).toEqual(media("new", 60));
  });

  test("have the new expiry time if none is kept", () => {
    const none = { reference_image_url: null, motion_video_url: null };
    expect(keepUrls(media("old", 30, none), media("new", 60), now).expires_at).toBe(
      media("new", 60).expires_at,
    );
    expect(keepUrls(media("old", 30, none), media("new", 60, none), now).expires_at).toBe(
      media("new", 60).expires_at,
    );
  });
});

describe("the time to renew", () => {
  test("is a few minutes before the first URL expires", () => {
    expect(renewalTime([media("a", 60), media("b", 50)])).toBe(now + 50 * 60_000 - RENEW_BEFORE);
  });

  test("is never if there are no URLs", () => {
    const none = { reference_image_url: null, motion_video_url: null };
    expect(renewalTime([media("a", 1, none)])).toBeNull();
    expect(renewalTime([])).toBeNull();
  });

  test("ignores an invalid time", () => {
    const unreadable = media("a", 60, { expires_at: "soon" });
    expect(renewalTime([unreadable, media("b", 50)])).toBe(now + 50 * 60_000 - RENEW_BEFORE);
    expect(renewalTime([unreadable])).toBeNull();
  });
});

describe("a tile", () => {
  const all = media("a", 60, {
    output_video_url: "output",
    reference_poster_url: "reference poster",
    motion_poster_url: "motion poster",
    output_poster_url: "output poster",
    motion_preview_url: "motion preview",
    output_preview_url: "output preview",
  });
  const { reference_image_url: image, motion_video_url: motion } = all;

  test("has its medium, a poster and a preview", () => {
    expect(tileMedia(all, "REF")).toEqual({
      original: image,
      poster: "reference poster",
      preview: null,
      storyboard: null,
    });
    expect(tileMedia(all, "SRC")).toEqual({
      original: motion,
      poster: "motion poster",
      preview: "motion preview",
      storyboard: null,
    });
    expect(tileMedia(all, "OUTPUT")).toEqual({
      original: "output",
      poster: "output poster",
      preview: "output preview",
      storyboard: null,
    });
  });

  test("has only its medium if there is no poster yet, or the functions send none", () => {
    const none = { motion_poster_url: null, motion_preview_url: null };
    expect(tileMedia(media("a", 60, none), "SRC")).toEqual({
      original: motion,
      poster: null,
      preview: null,
      storyboard: null,
    });
    expect(tileMedia(media("a", 60), "REF")).toEqual({
      original: image,
      poster: null,
      preview: null,
      storyboard: null,
    });
  });

  test("of a job without a motion video shows the input video and its poster", () => {
    const changes = { motion_video_url: null, input_video_url: "https://storage.test/input" };
    expect(tileMedia({ ...all, ...changes }, "SRC")).toEqual({
      original: "https://storage.test/input",
      poster: "motion poster",
      preview: "motion preview",
      storyboard: null,
    });
    expect(originalUrl({ ...all, ...changes }, "SRC")).toBe("https://storage.test/input");
  });

  test("shows nothing if its medium is gone", () => {
    expect(tileMedia({ ...all, reference_image_url: null }, "REF")).toEqual({
      original: null,
      poster: null,
      preview: null,
      storyboard: null,
    });
  });

  test("gets new URLs when its own fail, and other tiles keep theirs", () => {
    const answered = media("new", 60, {
      motion_poster_url: "new poster",
      output_poster_url: "not asked for",
    });
    const renewed = withRenewed(all, answered, "SRC");
    expect(tileMedia(renewed, "SRC")).toEqual({
      original: answered.motion_video_url,
      poster: "new poster",
      preview: null,
      storyboard: null,
    });
    expect(tileMedia(renewed, "OUTPUT")).toEqual(tileMedia(all, "OUTPUT"));
  });
});

describe("of the URLs for one tile", () => {
  const urls = inOrder("poster", null, "original");

  test.each<[string, string | undefined, string[], string]>([
    ["the first is tried first", undefined, [], "poster"],
    ["the next is tried if that fails", undefined, ["poster"], "original"],
    ["the last is tried again if all have failed", undefined, ["poster", "original"], "original"],
    ["the one that is shown stays, even if an earlier one has become available", "original", [], "original"],
    ["one that was shown is dropped if it is no longer offered", "expired", [], "poster"],
  ])("%s", (_, shown, failed, url) => {
    expect(urlToShow(urls, shown, failed)).toBe(url);
  });

  test("there may be none", () => {
    expect(urlToShow(inOrder(null, null), undefined, [])).toBeNull();
  });
});

describe("what a preview opens instead of the medium", () => {
  const made = { reference_view_url: "view", motion_preview_url: "preview", output_preview_url: "preview" };
  const told = (known: boolean | null) => ({
    playable: { reference_image: known, motion_video: known, input_video: known, output_video: known },
  });

  test("is what was made of it if not all browsers show it", () => {
    const shown = media("a", 60, { ...made, ...told(false) });
    expect(standInUrl(shown, "REF")).toBe("view");
    expect(standInUrl(shown, "SRC")).toBe("preview");
    expect(standInUrl(shown, "OUTPUT")).toBe("preview");
  });

  test("is nothing if all browsers show it, if that is not known, or if there is nothing", () => {
    expect(standInUrl(media("a", 60, { ...made, ...told(true) }), "SRC")).toBeNull();
    expect(standInUrl(media("a", 60, { ...made, ...told(null) }), "SRC")).toBeNull();
    expect(standInUrl(media("a", 60, made), "REF")).toBeNull();
    expect(standInUrl(media("a", 60, told(false)), "REF")).toBeNull();
  });

  test("is judged by the earlier video that a job works on", () => {
    const earlier = { motion_video_url: null, input_video_url: "https://storage.test/input" };
    const known = { reference_image: null, motion_video: null, input_video: false, output_video: null };
    expect(standInUrl(media("a", 60, { ...made, ...earlier, playable: known }), "SRC")).toBe("preview");
  });
});

test("new URLs help a medium that fails once, but not one that soon fails again", () => {
  const now = Date.now();
  expect(renewalCanHelp(null, now)).toBe(true);
  expect(renewalCanHelp(now - 90_000, now)).toBe(false);
  expect(renewalCanHelp(now - RENEW_BEFORE, now)).toBe(true);
  expect(renewalCanHelp(now + 3_600_000, now)).toBe(true); // The clock was set back.
});

describe("for a tile whose URL does not work", () => {
  const old = media("old", -1);
  let end: (how?: "failed") => void;
  let shown: JobThumbnailsResponse;
  /** What the load that is under way brings for the tile, or null. */
  const brought = () => {
    const load = new Promise<void>((resolve, reject) => {
      end = (how) => (how ? reject(new Error("away")) : resolve());
    });
    return broughtBy(load, "REF", old, () => shown);
  };

  test("those that a load under way brings are taken, once it ends", async () => {
    shown = old;
    const waiting = brought();
    shown = media("new", 60);
    end();
    expect(await waiting).toBe(shown);
  });

  test("nothing is taken if the load fails, or leaves the URL of this kind as it is", async () => {
    shown = old;
    const failing = brought();
    end("failed");
    expect(await failing).toBeNull();
    shown = media("old", 60, { motion_video_url: "https://storage.test/motion?new" });
    const leaving = brought();
    end();
    expect(await leaving).toBeNull();
  });

  test("those of a load that has ended since the tile was drawn are taken too", async () => {
    const now = media("new", 60);
    expect(await broughtBy(Promise.resolve(), "REF", old, () => now)).toBe(now);
    expect(await broughtBy(undefined, "REF", now, () => now)).toBeNull();
    expect(await broughtBy(undefined, "REF", undefined, () => undefined)).toBeNull();
  });
});
