import { describe, expect, test } from "vitest";
import { isSearchable, parseView, type View, viewAddress } from "@/lib/view";

const everything: View = { status: null, page: 1, search: "", details: null };
const parse = (query: string) => parseView(new URLSearchParams(query));

describe("an address", () => {
  test.each<[string, Partial<View>]>([
    ["/jobs/", {}],
    ["/jobs/?status=failed&page=3", { status: "failed", page: 3 }],
    ["/jobs/?status=other", { status: "other" }],
    ["/jobs/?q=70eb9a", { search: "70eb9a" }],
    ["/jobs/?job=a_b-C9", { details: "a_b-C9" }],
  ])("%s can be read and written", (address, view) => {
    expect(parse(address.split("?")[1] ?? "")).toEqual({ ...everything, ...view });
    expect(viewAddress({ ...everything, ...view })).toBe(address);
  });

  test.each([
    "status=deleted",
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
