import { expect, test } from "vitest";
import { formatBytes, formatRemoved } from "@/lib/receipt";

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1_000, "1.0 kB"],
  [34_567, "35 kB"],
  [3_400_000, "3.4 MB"],
  [17_000_000_000, "17 GB"],
  [2e15, "2000 TB"],
])("%d bytes are shown as %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

const LATER = "2026-11-29T12:00:00Z";

test.each([
  [2, LATER, "2 files (3 bytes) removed"],
  [1, null, "1 file (3 bytes) removed"],
  [0, null, "No files removed"],
  [0, LATER, "No files counted: a run that failed may have removed some"],
])("a bucket with %d files removed and a last copy until %s reads as %s", (objects, until, text) => {
  const bucket = { objects, bytes: 3, proved_empty_at: null, recoverable_until: until };
  expect(formatRemoved(bucket)).toBe(text);
});
