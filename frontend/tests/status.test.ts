import { expect, test } from "vitest";
import { statusLabel } from "@/components/StatusBadge";

test.each([
  ["processing", "Processing"],
  ["watermarking", "Watermarking"],
  ["post_processing_2", "Post processing 2"],
  ["constructor", "Constructor"],
  [null, "Unknown"],
  ["", "Unknown"],
])("the status %s is shown as %s", (status, label) => {
  expect(statusLabel(status)).toBe(label);
});
