import { afterEach, expect, test, vi } from "vitest";
import { useCloseRequest } from "@/hooks/use-close-request";

let leave: (() => void) | undefined;
vi.mock("react", () => ({
  useEffect: (effect: () => () => void) => {
    leave = effect();
  },
  useEffectEvent: (act: unknown) => act,
}));

/** As the browser's: one tells once, and the last one made that is still there does. */
class CloseWatcher {
  static open: CloseWatcher[] = [];
  static ask = () => CloseWatcher.open.pop()?.onclose?.();
  onclose: (() => void) | null = null;
  constructor() {
    CloseWatcher.open.push(this);
  }
  destroy() {
    CloseWatcher.open = CloseWatcher.open.filter((one) => one !== this);
  }
}

afterEach(() => vi.unstubAllGlobals());

test("each request to close goes to what is on top for as long as it is there, and then to what is below", () => {
  vi.stubGlobal("CloseWatcher", CloseWatcher);
  const [below, above] = [vi.fn(), vi.fn()];
  useCloseRequest(below);
  const leaveBelow = leave;
  useCloseRequest(above);
  CloseWatcher.ask();
  CloseWatcher.ask();
  expect([above.mock.calls.length, below.mock.calls.length]).toEqual([2, 0]);
  leave?.();
  CloseWatcher.ask();
  expect([above.mock.calls.length, below.mock.calls.length]).toEqual([2, 1]);
  leaveBelow?.();
  expect(CloseWatcher.open).toEqual([]);
});

test("a browser that has no watchers of such requests is left alone", () => {
  useCloseRequest(vi.fn());
  expect(leave).toBeUndefined();
});
