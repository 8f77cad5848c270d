import { describe, expect, test } from "vitest";
import type { Job } from "@/lib/job";
import {
  afterDeletion,
  nextJob,
  nextMedium,
  type Scene,
  type Stop,
  scenesOf,
  swiped,
  titleOfScene,
} from "@/lib/tour";

function job(id: string, status: string, media: Partial<Job["media"]> = {}): Job {
  const made = (name: string) => `https://storage.test/${id}/${name}`;
  return {
    id,
    status,
    media: {
      reference_image_url: made("reference"),
      motion_video_url: made("motion"),
      output_video_url: status === "completed" ? made("output") : null,
      ...media,
    },
  } as Job;
}

const first = job("first", "completed");
const active = job("active", "processing");
const bare = job("bare", "failed", { reference_image_url: null, motion_video_url: null });
const last = job("last", "completed", { reference_image_url: null });
const jobs = [first, active, bare, last];

function walk(step: 1 | -1, from: Stop, next: typeof nextMedium = nextMedium): string[] {
  const seen: string[] = [];
  for (let stop = next(jobs, from, step); stop; stop = next(jobs, stop, step)) {
    seen.push(`${stop.job.id} ${stop.scene}`);
  }
  return seen;
}

describe("what there is to see of a job", () => {
  test("is its media, and source and output side by side", () => {
    expect(scenesOf(first)).toEqual(["REF", "SRC", "OUTPUT", "ALL"]);
    expect(scenesOf(last)).toEqual(["SRC", "OUTPUT", "ALL"]);
  });

  test("is not side by side where there is nothing to compare", () => {
    expect(scenesOf(active)).toEqual(["REF", "SRC"]);
    expect(scenesOf(job("lost", "completed", { output_video_url: null }))).toEqual(["REF", "SRC"]);
    expect(scenesOf(bare)).toEqual([]);
  });

  test("has a title", () => {
    expect(titleOfScene(first, "OUTPUT")).toBe("Output video of job first");
    expect(titleOfScene(first, "ALL")).toBe("Media side by side of job first");
  });
});

describe("the next medium", () => {
  test("is the job's next or the next job's first, past jobs without any", () => {
    expect(walk(1, { job: first, scene: "REF" })).toEqual([
      "first SRC",
      "first OUTPUT",
      "active REF",
      "active SRC",
      "last SRC",
      "last OUTPUT",
    ]);
  });

  test("is found on the way back too", () => {
    expect(walk(-1, { job: last, scene: "SRC" })).toEqual([
      "active SRC",
      "active REF",
      "first OUTPUT",
      "first SRC",
      "first REF",
    ]);
  });

  test("after all media side by side is the next job's", () => {
    expect(walk(1, { job: first, scene: "ALL" })).toEqual(["last ALL"]);
  });

  test("is none for a medium that is gone", () => {
    expect(nextMedium(jobs, { job: bare, scene: "SRC" }, 1)).toBeNull();
    expect(nextMedium([], { job: first, scene: "SRC" }, 1)).toBeNull();
  });
});

describe("the next job", () => {
  test.each<[Scene, string[]]>([
    ["REF", ["active REF"]],
    ["SRC", ["active SRC", "last SRC"]],
    ["OUTPUT", ["last OUTPUT"]],
    ["ALL", ["last ALL"]],
  ])("is the next that has this: %s", (scene, seen) => {
    expect(walk(1, { job: first, scene }, nextJob)).toEqual(seen);
  });

  test("is none for a job that is not in the list", () => {
    expect(nextJob(jobs, { job: job("other", "completed"), scene: "SRC" }, 1)).toBeNull();
  });
});

test("after a deletion the next job is shown, else the one before, else nothing", () => {
  const shown = (stop: Stop) => afterDeletion(jobs, stop)?.job.id;
  expect(shown({ job: first, scene: "OUTPUT" })).toBe("last");
  expect(shown({ job: last, scene: "SRC" })).toBe("active");
  expect(afterDeletion([first], { job: first, scene: "OUTPUT" })).toBeNull();
});

test("a swipe to the left leads forward, and one that is short, up or down leads nowhere", () => {
  expect(swiped(-80, 10)).toBe(1);
  expect(swiped(80, -10)).toBe(-1);
  expect(swiped(-40, 0)).toBeNull();
  expect(swiped(-80, 60)).toBeNull();
});
