import { readdirSync, readFileSync } from "node:fs";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { JobsContent } from "@/components/JobsContent";
import { JobsToolbar } from "@/components/JobsToolbar";

const PULSE = "animate-pulse";

test.each([
  ["toolbar", JobsToolbar.Skeleton],
  ["cards", JobsContent.Skeleton],
])("the placeholders of the %s pulse as one, without the title", (_, placeholders) => {
  const html = renderToStaticMarkup(createElement(placeholders));
  const [before, within, ...more] = html.split(PULSE);
  expect(more).toEqual([]);
  expect(before).not.toContain("skeleton");
  expect(within).toContain("skeleton");
  expect(within).not.toContain("<h1");
});

test("what pulses is defined once", () => {
  const files = readdirSync("components", { recursive: true, encoding: "utf8" });
  const pulsing = files.filter(
    (file) => file.endsWith(".tsx") && readFileSync(`components/${file}`, "utf8").includes(PULSE),
  );
  expect(pulsing).toEqual(["ui/Skeleton.tsx"]);
});
