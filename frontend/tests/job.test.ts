import { expect, test } from "vitest";
import { type Job, typeLabel } from "@/lib/job";

test.each([
  ["animate", "Animation"],
  ["later", "Video"],
  ["__proto__", "Video"],
  ["constructor", "Video"],
  ["", "Video"],
  [null, "Video"],
])("a job of the type %s is called %s", (job_type, label) => {
  expect(typeLabel({ job_type } as Job)).toBe(label);
});
