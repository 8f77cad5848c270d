import { expect, test } from "vitest";
import { enteredName } from "@/lib/naming";

test.each([
  [" First  try ", "First  try"],
  ["", null],
  [" \u3000\u00a0", null],
])("%j in the text field asks for the name %j", (text, name) => {
  expect(enteredName(text)).toBe(name);
});
