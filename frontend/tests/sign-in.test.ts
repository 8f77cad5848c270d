import { expect, test, vi } from "vitest";
import { keepsData, safeNext } from "@/lib/sign-in";

test("whether the browser keeps data is tried out", () => {
  const storage = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => storage.get(key) ?? null,
    setItem: (key: string, value: string) => storage.set(key, value),
    removeItem: (key: string) => storage.delete(key),
  });
  expect(keepsData()).toBe(true);
  expect(storage.size).toBe(0);
  vi.stubGlobal("localStorage", {
    getItem: () => null,
    setItem: () => undefined,
    removeItem: () => undefined,
  });
  expect(keepsData()).toBe(false);
  vi.stubGlobal("localStorage", undefined);
  expect(keepsData()).toBe(false);
});

test.each([
  [null, "/jobs/"],
  ["/jobs/?page=2", "/jobs/?page=2"],
  ["https://evil.test/", "/jobs/"],
  ["//evil.test", "/jobs/"],
  ["/\\evil.test", "/jobs/"],
  ["/\t/evil.test", "/jobs/"],
  ["/\n\\evil.test", "/jobs/"],
  ["javascript:alert(1)", "/jobs/"],
])("after signing in, the address %s leads to %s", (next, address) => {
  expect(safeNext(next)).toBe(address);
});
