import { type ComponentProps, createElement, type ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeEach, expect, test, vi } from "vitest";
import { Clip } from "@/components/Clip";
import { Medium } from "@/components/dialogs/Medium";
import { MediaTile } from "@/components/MediaTile";
import type { MediaSource } from "@/hooks/use-media-source";
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

/** What a component told its source of a video that has loaded. */
function told(render: (source: MediaSource) => ReactElement, videoWidth: number): string[] {
  const calls: string[] = [];
  const loading = {
    ...source,
    url: original,
    broken: false,
    onReady: () => calls.push("ready"),
    onError: () => void calls.push("error"),
  };
  const load = (node: unknown): void => {
    for (const child of Array.isArray(node) ? node : []) load(child);
    if (typeof node !== "object" || node === null || Array.isArray(node)) return;
    const { type, props } = node as ReactElement<ComponentProps<"video">>;
    if (type === "video") props.onLoadedData?.({ currentTarget: { videoWidth } } as never);
    else load(props.children);
  };
  const Page = () => {
    const element = render(loading);
    load(element);
    return element;
  };
  renderToStaticMarkup(createElement(Page));
  return calls;
}

test.each<[string, (source: MediaSource) => ReactElement]>([
  ["on a tile", (loading) => Clip({ source: loading, playing: false, className: "" })],
  [
    "in the preview",
    (loading) => {
      const preview = { kind: "SRC", source: loading, original, poster: null, standIn: null } as Preview;
      return Medium({ preview, title: "", video: {}, className: "" });
    },
  ],
])("a video of which the browser can play only the sound is broken %s", (_, render) => {
  expect(told(render, 0)).toEqual(["error"]);
  expect(told(render, 640)).toEqual(["ready"]);
});
