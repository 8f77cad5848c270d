import { afterEach, expect, test, vi } from "vitest";
import { isOnControls } from "@/hooks/use-swipe";

/** An element that is one of these, or within one. */
class FakeElement {
  constructor(readonly within: string[]) {}
  closest(selector: string): this | null {
    return selector.split(", ").some((one) => this.within.includes(one)) ? this : null;
  }
}

class FakeVideo extends FakeElement {
  controls = true;
  constructor() {
    super(["video", "div"]);
  }
  getBoundingClientRect = () => ({ bottom: 500 });
}

afterEach(() => vi.unstubAllGlobals());

test.each([
  ["on the position of the videos", new FakeElement(["input", "div"]), 480, true],
  ["on the sign of a button", new FakeElement(["svg", "button", "div"]), 480, true],
  ["on a link", new FakeElement(["a", "p"]), 480, true],
  ["on a picture", new FakeElement(["img", "div"]), 480, false],
  ["on a video", new FakeVideo(), 400, false],
  ["on the controls of a video", new FakeVideo(), 480, true],
])("a finger put down %s operates something or swipes", (_, element, clientY, operates) => {
  vi.stubGlobal("Element", FakeElement);
  vi.stubGlobal("HTMLVideoElement", FakeVideo);
  expect(isOnControls({ target: element as unknown as EventTarget, clientY })).toBe(operates);
});
