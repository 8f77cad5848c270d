import { describe, expect, test } from "vitest";
import { isSearchable, parseView, placeOf, type View, viewAddress } from "@/lib/view";

const everything: View = { status: null, deleted: false, page: 1, search: "", details: null };
const parse = (query: string) => parseView(new URLSearchParams(query));

describe("an address", () => {
  test.each<[string, Partial<View>]>([
    ["/jobs/", {}],
    ["/jobs/?status=failed&page=3", { status: "failed", page: 3 }],
    ["/jobs/?status=other", { status: "other" }],
    ["/jobs/?deleted=true&page=2", { deleted: true, page: 2 }],
    ["/jobs/?q=70eb9a", { search: "70eb9a" }],
    ["/jobs/?job=a_b-C9", { details: "a_b-C9" }],
  ])("%s can be read and written", (address, view) => {
    expect(parse(address.split("?")[1] ?? "")).toEqual({ ...everything, ...view });
    expect(viewAddress({ ...everything, ...view })).toBe(address);
  });

  test.each([
    "status=deleted",
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

  test("with a search ignores the status", () => {
    expect(parse("status=failed&q=70eb").status).toBeNull();
  });

  test("with a search does not show the trash, and with the trash ignores the status", () => {
    expect(parse("deleted=true&q=70eb").deleted).toBe(false);
    expect(parse("deleted=true&status=failed")).toEqual({ ...everything, deleted: true });
  });
});

test("the trash, each filter, each search and each page is a place of its own", () => {
  const changes = [{}, { deleted: true }, { status: "failed" as const }, { search: "7" }, { page: 2 }];
  expect(new Set(changes.map((change) => placeOf({ ...everything, ...change }))).size).toBe(5);
  expect(placeOf({ ...everything, details: "a" })).toBe(placeOf(everything));
});

test.each([
  ["70eb9a", true],
  ["a".repeat(128), true],
  ["a".repeat(129), false],
  ["", false],
  ["70 eb", false],
  ["ä", false],
  ["__reserved__", false],
])("whether an id can begin with %s: %s", (text, searchable) => {
  expect(isSearchable(text)).toBe(searchable);
});
