import { expect, test } from "vitest";
import { describeFilter, partsOf } from "@/lib/filter";
import { type Filter, NO_FILTER } from "@/lib/view";

const filter: Filter = {
  statuses: ["completed", "failed"],
  types: ["animate", "later"],
  from: "2026-11-01",
  to: "2026-11-30",
  oldest: true,
};

test("each part of a filter can be taken away alone, until nothing is left", () => {
  const parts = partsOf(filter);
  expect(parts.map(({ label }) => label)).toEqual([
    "Completed",
    "Failed",
    "Animation",
    "Video",
    "Since Nov 1, 2026",
    "Until Nov 30, 2026",
    "Oldest first",
  ]);
  expect(parts[0]?.without).toEqual({ statuses: ["failed"] });
  let rest = filter;
  for (let left = parts.length; left > 0; left -= 1) {
    rest = { ...rest, ...partsOf(rest)[0]?.without };
    expect(partsOf(rest)).toHaveLength(left - 1);
  }
  expect(rest).toEqual(NO_FILTER);
});

test("a filter is described in words", () => {
  expect(describeFilter({ ...filter, types: ["extend"] })).toEqual([
    "completed or failed",
    "extension",
    "created since Nov 1, 2026",
    "created until Nov 30, 2026",
  ]);
  expect(describeFilter(NO_FILTER)).toEqual([]);
});
