import { expect, test } from "vitest";
import { seedOf } from "@/lib/recipe";

test.each([
  [7, 7],
  [0, 0],
  [2 ** 60, null],
  [null, null],
  [undefined, null],
])("a seed of %s is told as %s", (seed, told) => {
  expect(seedOf({ seed } as Parameters<typeof seedOf>[0])).toBe(told);
});
