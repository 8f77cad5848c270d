import { afterEach, expect, test, vi } from "vitest";
import { prefersGrid, rememberLayout } from "@/lib/layout";

afterEach(() => vi.unstubAllGlobals());

test("the list is shown until the grid is chosen, and the choice is remembered", () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  expect(prefersGrid()).toBe(false);
  rememberLayout(true);
  expect(prefersGrid()).toBe(true);
  rememberLayout(false);
  expect(prefersGrid()).toBe(false);
});

test("a browser that keeps nothing starts with the list", () => {
  const refuse = () => {
    throw new DOMException("denied", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse });
  expect(() => rememberLayout(true)).not.toThrow();
  expect(prefersGrid()).toBe(false);
});
