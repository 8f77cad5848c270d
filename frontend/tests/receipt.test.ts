import { expect, test } from "vitest";
import { formatBytes } from "@/lib/receipt";

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
