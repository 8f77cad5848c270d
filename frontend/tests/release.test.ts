import { expect, test, vi } from "vitest";
import { releasedOnLeave } from "@/lib/release";

function element(isConnected: boolean, rest: object = {}) {
  const removed: string[] = [];
  const medium = { isConnected, removeAttribute: (name: string) => removed.push(name), ...rest };
  return { medium: medium as unknown as HTMLVideoElement, removed };
}

test("a video that has left the page stops downloading", async () => {
  const load = vi.fn();
  const { medium, removed } = element(false, { load });
  releasedOnLeave(medium)?.();
  await Promise.resolve();
  expect(removed).toEqual(["src"]);
  expect(load).toHaveBeenCalledOnce();
});

test("a picture that has left the page stops downloading", async () => {
  const { medium, removed } = element(false);
  releasedOnLeave(medium)?.();
  await Promise.resolve();
  expect(removed).toEqual(["src"]);
});

test("an element that stays keeps its source", async () => {
  const { medium, removed } = element(true);
  releasedOnLeave(medium)?.();
  await Promise.resolve();
  expect(removed).toEqual([]);
});
