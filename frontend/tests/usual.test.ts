import { describe, expect, test } from "vitest";
import type { JobFields } from "@/lib/job";
import { Durations, formatRange, noteOn } from "@/lib/usual";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse("2026-11-26T12:00:00Z");
const at = (time: number) => new Date(time).toISOString();

function job(changes: Partial<JobFields> = {}): JobFields {
  const fields = { id: "a", status: "processing", job_type: "animate", resolution: "720p" };
  return { ...fields, created_at: at(NOW), completed_at: null, ...changes } as JobFields;
}

/** Completed jobs that took so many minutes each, the last one first. */
function took(minutes: number[], changes: Partial<JobFields> = {}): JobFields[] {
  return minutes.map((span, index) => {
    const completed = NOW - index * HOUR;
    const times = { created_at: at(completed - span * MINUTE), completed_at: at(completed) };
    return job({ id: `${span}-${index}`, status: "completed", ...times, ...changes });
  });
}

function known(...read: JobFields[][]): Durations {
  const durations = new Durations();
  for (const jobs of read) durations.note(jobs);
  return durations;
}

describe("what jobs of a kind usually take", () => {
  test("is the span of eight of ten, and the slowest", () => {
    const usual = known(took([10, 2, 3, 4, 5, 6, 7, 8, 9, 1])).of(job());
    expect(usual).toEqual({ from: MINUTE, to: 9 * MINUTE, slowest: 10 * MINUTE });
  });

  test("is not known from fewer than five", () => {
    expect(known(took([1, 2, 3, 4])).of(job())).toBeNull();
    expect(known(took([1, 2, 3, 4]), took([5])).of(job())).not.toBeNull();
    expect(known().of(job())).toBeNull();
  });

  test("is known for each type and resolution by itself", () => {
    const durations = known(
      took([1, 2, 3, 4, 5], { resolution: "480p" }),
      took([1, 2, 3], { job_type: "foley" }),
    );
    expect(durations.of(job())).toBeNull();
    expect(durations.of(job({ resolution: "480p" }))).not.toBeNull();
    expect(durations.of(job({ job_type: "foley" }))).toBeNull();
  });

  test("is that of the last twenty, in whatever order they were read", () => {
    const all = took([...Array(20).fill(2), 90, 91, 92, 93, 94]);
    const usual = { from: 2 * MINUTE, to: 2 * MINUTE, slowest: 2 * MINUTE };
    expect(known(all.slice(18), all.slice(0, 18)).of(job())).toEqual(usual);
  });

  test("counts a job once, however often it is read", () => {
    const jobs = took([1, 2, 3, 4]);
    expect(known(jobs, jobs, jobs).of(job())).toBeNull();
  });

  test("leaves out jobs that were seen to be worked on again, as theirs contains the time in between", () => {
    const again = took([9], { id: "again" });
    const before = again.map((one) => ({ ...one, status: "watermarking" }));
    expect(known(took([1, 2, 3, 4]), before, again).of(job())).toBeNull();
    expect(known(took([1, 2, 3, 4]), again).of(job())).not.toBeNull();
  });

  test("leaves out jobs that are not completed or whose times make no sense", () => {
    const odd = [
      job({ id: "1", status: "failed", completed_at: at(NOW + MINUTE) }),
      job({ id: "2", status: "completed" }),
      job({ id: "3", status: "completed", completed_at: at(NOW - MINUTE) }),
      job({ id: "4", status: "completed", created_at: null, completed_at: at(NOW) }),
      job({ id: "5", status: "completed", completed_at: "soon" }),
    ];
    expect(known(took([1, 2, 3, 4]), odd).of(job())).toBeNull();
  });
});

describe("the note beside the elapsed time", () => {
  const usual = { from: 2 * MINUTE, to: 4 * MINUTE, slowest: 5 * MINUTE };

  test("says what is usual, until the slowest took no longer", () => {
    expect(noteOn(job(), usual, NOW)).toEqual({ text: "usually 2–4 min", late: false });
    expect(noteOn(job(), usual, NOW + 5 * MINUTE)?.text).toBe("usually 2–4 min");
    const late = { text: "Taking longer than usual", late: true };
    expect(noteOn(job(), usual, NOW + 5 * MINUTE + 1)).toEqual(late);
  });

  test("says nothing where nothing is known", () => {
    expect(noteOn(job(), null, NOW + 5 * HOUR)).toBeNull();
    expect(noteOn(job({ created_at: null }), usual, NOW)).toBeNull();
  });

  test("says of a job that is worked on again only that it has stalled", () => {
    const again = job({ status: "watermarking", completed_at: at(NOW + MINUTE) });
    expect(noteOn(again, usual, NOW + 2 * MINUTE)).toBeNull();
    expect(noteOn(again, usual, NOW + HOUR)).toBeNull();
    expect(noteOn(again, usual, NOW + 2 * DAY)?.text).toBe("Stalled: no change for 2d 0h");
  });

  test("says that nothing has changed for a day, counted from the last change", () => {
    expect(noteOn(job(), null, NOW + DAY)).toEqual({ text: "Stalled: no change for 1d 0h", late: true });
    const changed = job({ updated_at: at(NOW + 3 * HOUR) });
    expect(noteOn(changed, usual, NOW + DAY)?.text).toBe("Taking longer than usual");
    expect(noteOn(changed, usual, NOW + DAY + 5 * HOUR)?.text).toBe("Stalled: no change for 1d 2h");
  });
});

test.each([
  [42 * SECOND, 71 * SECOND, "40–70 s"],
  [1 * SECOND, 2 * SECOND, "5 s"],
  [80 * SECOND, 4.4 * MINUTE, "1–4 min"],
  [20 * SECOND, 3 * MINUTE, "1–3 min"],
  [2.6 * MINUTE, 3.4 * MINUTE, "3 min"],
  [40 * MINUTE, 119 * MINUTE, "40–119 min"],
  [40 * MINUTE, 3.4 * HOUR, "1–3 h"],
])("from %d to %d milliseconds is %s", (from, to, text) => {
  expect(formatRange(from, to)).toBe(text);
});
