import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { Medium } from "@/components/dialogs/Medium";
import { MediaTile } from "@/components/MediaTile";
import type { Preview } from "@/hooks/use-preview";
import { useShareLink } from "@/hooks/use-share-link";
import { NetworkError } from "@/lib/errors";
import type { Job } from "@/lib/job";
import type { TileMedia } from "@/lib/media";

const { changeShareLink } = vi.hoisted(() => ({ changeShareLink: vi.fn() }));
vi.mock("@/lib/job-calls", () => ({ changeOf: () => ({ id: "a" }), changeShareLink }));
vi.mock("@/lib/notify", () => ({ notify: vi.fn() }));
const source = { url: null, key: 0, broken: true, ready: false, onReady: vi.fn(), onError: vi.fn() };
vi.mock("@/hooks/use-media-source", () => ({ useMediaSource: () => source }));

const original = "https://storage.test/motion.mp4";

function tile(media: Partial<TileMedia>): string {
  const props = { kind: "SRC" as const, jobName: "a1", onOpen: vi.fn(), renew: vi.fn() };
  return renderToStaticMarkup(createElement(MediaTile, { ...props, media: media as TileMedia }));
}

test("the button of a broken tile names what it does, the medium and the job", () => {
  const name = "Preview the source video of job a1 – SRC: Not available";
  expect(tile({ original })).toMatch(/^<button type="button"/);
  expect(tile({ original })).toContain(`aria-label="${name}"`);
  expect(tile({ original: null })).toMatch(/^<div/);
});

test("the original of a medium that cannot be shown may be missing too", () => {
  const preview = { kind: "SRC", source, original, poster: null, standIn: false } as unknown as Preview;
  const html = renderToStaticMarkup(createElement(Medium, { preview, title: "", video: {}, className: "" }));
  expect(html).toContain(">You can try to download the original</a>");
});

test("a change of a link's end tells whether it succeeded, so that a choice that failed stays", async () => {
  let limit: (days: number | null) => Promise<boolean> = async () => false;
  const Page = () => {
    limit = useShareLink({ id: "a" } as Job, vi.fn()).limit;
    return null;
  };
  renderToStaticMarkup(createElement(Page));
  changeShareLink.mockRejectedValueOnce(new NetworkError());
  expect(await limit(7)).toBe(false);
  changeShareLink.mockResolvedValueOnce({ expires_at: null });
  expect(await limit(null)).toBe(true);
});
