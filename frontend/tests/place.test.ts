import { beforeEach, expect, test, vi } from "vitest";
import { keptPlace } from "@/lib/place";

const pause = vi.fn();
const element = (state: Partial<HTMLVideoElement>) =>
  ({ isConnected: true, readyState: 1, currentTime: 0, paused: true, pause, ...state }) as HTMLVideoElement;

beforeEach(() => pause.mockClear());

test("a new element goes on where the last one was, and is paused if that was", () => {
  const place = keptPlace();
  const last = element({ currentTime: 3 });
  place.noteTime({ currentTarget: last });
  place.notePaused({ currentTarget: last });
  const next = element({});
  place.goOn(next);
  expect(next.currentTime).toBe(3);
  expect(pause).toHaveBeenCalledOnce();
});

test("one that breaks before it has begun to play does not pause the next", () => {
  const place = keptPlace();
  place.noteTime({ currentTarget: element({ currentTime: 3, paused: false }) });
  const broken = element({});
  place.goOn(broken);
  place.noteTime({ currentTarget: broken }); // The new time is sought.
  const next = element({});
  place.goOn(next);
  expect(next.currentTime).toBe(3);
  expect(pause).not.toHaveBeenCalled();
});

test("one that has left the page or has no picture yet tells nothing", () => {
  const place = keptPlace();
  for (const state of [{ isConnected: false }, { readyState: 0 }]) {
    const gone = element({ currentTime: 3, ...state });
    place.noteTime({ currentTarget: gone });
    place.notePaused({ currentTarget: gone });
  }
  const next = element({});
  place.goOn(next);
  expect(next.currentTime).toBe(0);
  expect(pause).not.toHaveBeenCalled();
});
