import { expect, test } from "vitest";
import type { JobFields } from "@/lib/job";
import { withAsked } from "@/lib/returning";

const job = (id: string) => ({ id }) as JobFields;

test("a job that is asked back twice is coming back once, as far as it is", () => {
  const first = withAsked([], [job("a"), job("b")]);
  const accepted = first.map((one) => ({ ...one, accepted: true }));
  expect(withAsked(accepted, [job("b"), job("c")])).toEqual([
    { job: job("a"), accepted: true },
    { job: job("b"), accepted: true },
    { job: job("c"), accepted: false },
  ]);
});
