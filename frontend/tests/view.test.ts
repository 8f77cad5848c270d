import { describe, expect, test, vi } from "vitest";
import { ALL, isNarrowed, parseView, placeOf, type View, viewAddress, waysToSearch } from "@/lib/view";

const everything: View = { ...ALL, details: null };
const parse = (query: string) => parseView(new URLSearchParams(query));

describe("an address", () => {
  test.each<[string, Partial<View>]>([
    ["/jobs/", {}],
    ["/jobs/?status=failed&page=3", { statuses: ["failed"], page: 3 }],
    ["/jobs/?status=completed,other", { statuses: ["completed", "other"] }],
    ["/jobs/?type=animate,foley&sort=oldest", { types: ["animate", "foley"], oldest: true }],
    ["/jobs/?from=2026-11-01&to=2026-11-30", { from: "2026-11-01", to: "2026-11-30" }],
    ["/jobs/?from=2026-11-01", { from: "2026-11-01" }],
    ["/jobs/?to=2026-11-01", { to: "2026-11-01" }],
    ["/jobs/?deleted=true&page=2", { deleted: true, page: 2 }],
    ["/jobs/?shared=true&page=2", { shared: true, page: 2 }],
    ["/jobs/?q=70eb9a", { search: "70eb9a" }],
    ["/jobs/?q=70eb9a&by=name", { search: "70eb9a", by: "name" }],
    ["/jobs/?job=a_b-C9", { details: "a_b-C9" }],
  ])("%s can be read and written", (address, view) => {
    expect(parse(address.split("?")[1] ?? "")).toEqual({ ...everything, ...view });
    expect(viewAddress({ ...everything, ...view })).toBe(address);
  });

  test("is written also by a browser whose query strings have no size, such as Safari 16", () => {
    const size = vi.spyOn(URLSearchParams.prototype, "size", "get").mockReturnValue(undefined as never);
    expect(viewAddress({ ...everything, page: 2 })).toBe("/jobs/?page=2");
    size.mockRestore();
  });

  test("keeps a comma in a search", () => {
    const view = { ...everything, search: "a,b c" };
    expect(parse(viewAddress(view).split("?")[1] ?? "")).toEqual(view);
  });

  test.each([
    "status=deleted",
    "type=later",
    "from=2026-13-01",
    "from=yesterday",
    "to=12026-11-01",
    "sort=newest",
    "by=name",
    "deleted=1",
    "page=0",
    "page=-1",
    "page=1.5",
    "page=x",
    "page=1e12",
    "job=../x",
    "job=",
    "q=%20",
  ])("with %s shows everything", (query) => expect(parse(query)).toEqual(everything));

  test("has each status once, in the usual order, and no unknown one", () => {
    expect(parse("status=failed,lost,pending,failed").statuses).toEqual(["pending", "failed"]);
  });

  test("whose days are in the wrong order has the first alone", () => {
    expect(parse("from=2026-11-02&to=2026-11-01")).toEqual({ ...everything, from: "2026-11-02" });
  });

  test("with a search ignores the filter", () => {
    expect(parse("status=failed&type=animate&sort=oldest&q=70eb")).toEqual({ ...everything, search: "70eb" });
  });

  test("shows the shared jobs without filter, and neither in a search nor in the trash", () => {
    expect(parse("shared=true&status=failed")).toEqual({ ...everything, shared: true });
    expect(parse("shared=true&q=70eb").shared).toBe(false);
    expect(parse("shared=true&deleted=true")).toEqual({ ...everything, deleted: true });
  });

  test("with a search does not show the trash, and with the trash ignores the filter", () => {
    expect(parse("deleted=true&q=70eb").deleted).toBe(false);
    expect(parse("deleted=true&status=failed&from=2026-11-01")).toEqual({ ...everything, deleted: true });
  });
});

test("the trash, each filter, each order, each search and each page is a place of its own", () => {
  const changes: Partial<View>[] = [
    {},
    { deleted: true },
    { shared: true },
    { statuses: ["failed"] },
    { types: ["animate"] },
    { from: "2026-11-01" },
    { to: "2026-11-01" },
    { oldest: true },
    { search: "7" },
    { search: "7", by: "id" },
    { page: 2 },
  ];
  expect(new Set(changes.map((change) => placeOf({ ...everything, ...change }))).size).toBe(11);
  expect(placeOf({ ...everything, details: "a" })).toBe(placeOf(everything));
});

test("one status alone needs no more than its button", () => {
  expect(isNarrowed({ ...ALL, statuses: ["failed"] })).toBe(false);
  expect(isNarrowed({ ...ALL, statuses: ["failed", "completed"] })).toBe(true);
  for (const part of [
    { types: ["animate"] },
    { from: "2026-11-01" },
    { to: "2026-11-01" },
    { oldest: true },
  ]) {
    expect(isNarrowed({ ...ALL, ...part })).toBe(true);
  }
});

test.each([
  ["70eb9a", ["id", "name"]],
  ["70eb9a0a-9626", ["id", "name"]],
  ["7", ["id", "name"]],
  ["cat", ["name", "id"]],
  ["cafe", ["name", "id"]],
  ["Job_1", ["name", "id"]],
  ["a".repeat(81), ["id"]],
  ["a".repeat(129), []],
  ["two words", ["name"]],
  ["\u{1f600}".repeat(80), ["name"]],
  ["\u{1f600}".repeat(81), []],
  ["__reserved__", ["name"]],
  ["", []],
])("what begins with %s may be found by: %s", (search, ways) => {
  expect(waysToSearch({ search, by: null })).toEqual(ways);
  expect(waysToSearch({ search, by: "id" })).toEqual(ways.filter((way) => way === "id"));
});
