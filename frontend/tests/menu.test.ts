import { expect, test } from "vitest";
import { itemAfter } from "@/lib/menu";

const LABELS = ["Sign out", "Erase everything", "settings"];

test.each([
  ["ArrowDown", 0, 1],
  ["ArrowDown", 2, 0],
  ["ArrowDown", -1, 0],
  ["ArrowUp", 0, 2],
  ["ArrowUp", 2, 1],
  ["ArrowUp", -1, 2],
  ["Home", 2, 0],
  ["End", 0, 2],
  ["e", 0, 1],
  ["s", 0, 2],
  ["S", 2, 0],
  ["e", 1, 1],
])("%s moves the focus from item %i to item %i", (key, from, to) => {
  expect(itemAfter(key, from, LABELS)).toBe(to);
});

test.each(["x", " ", "Enter", "F5"])("%s moves the focus to no item", (key) => {
  expect(itemAfter(key, 0, LABELS)).toBeNull();
});
