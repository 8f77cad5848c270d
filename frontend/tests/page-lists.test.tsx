// @vitest-environment happy-dom
/** Which jobs the page lists: all, those with a status or those that are searched for, according to its address. */

import { screen } from "@testing-library/dom";
import { expect, test } from "vitest";
import { button, cards, functions, idsOf, open, press, run, search, type } from "./rendered";

test("a search that is typed on a later page keeps the focus and is paged like the list", async () => {
  const alike = Array.from({ length: 21 }, (_, number) => functions.add({ id: `abcdef${number + 10}` }));
  await open("?page=2");
  await type(search(), "abcdef");
  await run(0.3);
  expect(cards()).toEqual(idsOf(alike).slice(0, 20));
  expect(document.activeElement).toBe(search());
  await press(button("Next"));
  expect(cards()).toEqual(idsOf(alike).slice(20));
  screen.getByText("21–21 of 21");
});
