import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync(new URL("../app/globals.css", import.meta.url), "utf8");

test("animations change only opacity and transform, which cost no work on the main thread", () => {
  const animations = [...css.matchAll(/@keyframes \w+ \{((?:[^{}]*\{[^{}]*\})*)/g)].map(
    ([, body]) => body ?? "",
  );
  const properties = animations.flatMap((body) => [...body.matchAll(/([\w-]+):/g)].map(([, name]) => name));
  expect(animations).toHaveLength(2);
  expect(new Set(properties)).toEqual(new Set(["opacity", "transform"]));
});
