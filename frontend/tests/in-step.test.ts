import { describe, expect, test } from "vitest";
import { formatTime, inStep, type Reel } from "@/lib/in-step";

function reel(time: number, length = 10, ready = true): Reel {
  return { time, length, ready };
}

const LOADING = reel(0, Number.POSITIVE_INFINITY, false);
const MISSING = reel(0, 0);

describe("a source beside its output", () => {
  test("plays at the same speed while they are in step", () => {
    const { output, source } = inStep(reel(3), reel(3.02), true, 0);
    expect(output).toEqual({ play: true, rate: 1, seek: null });
    expect(source).toEqual({ play: true, rate: 1, seek: null });
  });

  test("catches up or holds back if it is a little off", () => {
    expect(inStep(reel(3), reel(2.9), true, 0).source).toEqual({ play: true, rate: 1.05, seek: null });
    expect(inStep(reel(3), reel(3.1), true, 0).source).toEqual({ play: true, rate: 0.95, seek: null });
  });

  test("jumps if it is far off, and the output never does", () => {
    const { output, source } = inStep(reel(3), reel(2), true, 0);
    expect(source.seek).toBe(3);
    expect(output).toEqual({ play: true, rate: 1, seek: null });
  });

  test("is in step again soon after a stutter", () => {
    let [output, source] = [2, 1.85];
    for (let tick = 0; tick < 30; tick++) {
      const { source: cue } = inStep(reel(output, 100), reel(source, 100), true, output);
      output += 0.25;
      source = cue.seek === null ? source + 0.25 * cue.rate : cue.seek;
    }
    expect(Math.abs(output - source)).toBeLessThanOrEqual(0.05);
  });
});

describe("while one video has to load", () => {
  test("the other waits, and the time stands still", () => {
    const step = inStep(reel(3), reel(3, 10, false), true, 3);
    expect(step.output.play).toBe(false);
    // Some browsers load a video only when it is told to play.
    expect(step.source.play).toBe(true);
    expect(inStep(reel(0, 10, false), reel(4), true, 4)).toMatchObject({ time: 4, source: { play: false } });
  });

  test("nothing has ended, and nothing jumps", () => {
    const { ended, source } = inStep(LOADING, reel(0), true, 0);
    expect(ended).toBe(false);
    expect(source).toEqual({ play: false, rate: 1, seek: null });
  });

  test("it does not matter if it is a video that is over", () => {
    expect(inStep(reel(7), reel(4, 4, false), true, 0).output.play).toBe(true);
  });
});

describe("videos of different lengths", () => {
  test("a shorter source stays at its end", () => {
    const step = inStep(reel(7), reel(4, 4), true, 0);
    expect(step).toMatchObject({ time: 7, length: 10, ended: false });
    expect(step.output.play).toBe(true);
    expect(step.source).toEqual({ play: false, rate: 1, seek: null });
  });

  test("a longer source plays on alone, and tells the time", () => {
    const step = inStep(reel(4, 4), reel(7), true, 0);
    expect(step).toMatchObject({ time: 7, length: 10, ended: false });
    expect(step.output.play).toBe(false);
    expect(step.source).toEqual({ play: true, rate: 1, seek: null });
  });

  test("they end when the longer one does", () => {
    expect(inStep(reel(10), reel(4, 4), true, 0)).toMatchObject({ ended: true, output: { play: false } });
    expect(inStep(reel(4, 4), reel(10), true, 0)).toMatchObject({ ended: true, source: { play: false } });
  });
});

describe("a video that does not tell its length", () => {
  const recorded = (time: number) => reel(time, Number.POSITIVE_INFINITY);

  test("leaves the total to the other", () => {
    expect(inStep(reel(3), recorded(3), true, 0)).toMatchObject({ time: 3, length: 10, ended: false });
    expect(inStep(recorded(3), reel(3), true, 0)).toMatchObject({ time: 3, length: 10, ended: false });
  });

  test("plays on after the other, and the total grows with the time", () => {
    const step = inStep(reel(10), recorded(12), true, 0);
    expect(step).toMatchObject({ time: 12, length: 12, ended: false, source: { play: true } });
  });

  test("has no total if the other cannot be played", () => {
    expect(inStep(MISSING, recorded(3), true, 0)).toMatchObject({
      time: 3,
      length: Number.POSITIVE_INFINITY,
    });
  });
});

test("a video whose other cannot be played plays alone", () => {
  expect(inStep(reel(3), MISSING, true, 0)).toMatchObject({ time: 3, length: 10, output: { play: true } });
  expect(inStep(MISSING, reel(3), true, 0)).toMatchObject({ time: 3, length: 10, source: { play: true } });
});

test("paused videos stay where they are", () => {
  const { output, source } = inStep(reel(3), reel(2), false, 0);
  expect(output.play).toBe(false);
  expect(source).toEqual({ play: false, rate: 1, seek: null });
});

test("times are in minutes and seconds", () => {
  expect([0, 7.9, 60, 754].map(formatTime)).toEqual(["0:00", "0:07", "1:00", "12:34"]);
});
