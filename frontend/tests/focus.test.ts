import { describe, expect, test } from "vitest";
import { neighbour } from "@/lib/focus-after-deletion";
import type { Job } from "@/lib/job";

const [a, b, c] = [{ id: "a" } as Job, { id: "b" } as Job, { id: "c" } as Job];

describe("the neighbour of a deleted job", () => {
  test.each<[string[], string | null]>([
    [["a"], "b"],
    [["b"], "c"],
    [["c"], "b"],
    [["b", "c"], "a"],
    [["a", "c"], "b"],
    [["a", "b", "c"], null],
  ])("for %j is %s", (gone, next) => {
    const jobs = [a, b, c];
    expect(
      neighbour(
        jobs,
        jobs.filter((one) => gone.includes(one.id)),
      )?.id ?? null,
    ).toBe(next);
  });
});
