import { readdirSync, readFileSync } from "node:fs";
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

test("nothing blurs what lies behind it, which takes longer to draw than all else", () => {
  const files = ["app", "components"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
  );
  const looks = files.filter((file) => /\.(tsx|css)$/.test(file));
  expect(looks).toContain("app/globals.css");
  expect(looks.filter((file) => readFileSync(file, "utf8").includes("backdrop-"))).toEqual([]);
});
