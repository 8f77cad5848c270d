import { createElement, type ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeEach, expect, test, vi } from "vitest";
import { Medium } from "@/components/dialogs/Medium";
import { MediaTile } from "@/components/MediaTile";
import type { Preview } from "@/hooks/use-preview";
import type { TileMedia } from "@/lib/media";

const source = {
  url: null as string | null,
  key: 0,
  broken: true,
  ready: false,
  onReady: vi.fn(),
  onError: vi.fn(),
};
vi.mock("@/hooks/use-media-source", () => ({ useMediaSource: () => source }));

const original = "https://storage.test/motion.mp4";

beforeEach(() => void Object.assign(source, { url: null, broken: true }));

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

test("a tile that breaks or is shown again stays the same button, which may have the focus", () => {
  const root = (url: string | null) => {
    Object.assign(source, { url, broken: url === null });
    let element: ReactElement | undefined;
    const Page = () => {
      const media = { original } as TileMedia;
      element = MediaTile({ kind: "SRC", jobName: "a1", media, onOpen: vi.fn(), renew: vi.fn() });
      return element;
    };
    return [renderToStaticMarkup(createElement(Page)).includes("Not available"), element?.type];
  };
  expect([root(null), root(original)]).toEqual([
    [true, "button"],
    [false, "button"],
  ]);
});

test("the original of a medium that cannot be shown may be missing too", () => {
  const preview = { kind: "SRC", source, original, poster: null, standIn: false } as unknown as Preview;
  const html = renderToStaticMarkup(createElement(Medium, { preview, title: "", video: {}, className: "" }));
  expect(html).toContain(">You can try to download the original</a>");
});
