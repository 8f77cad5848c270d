import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useWatching } from "@/hooks/use-watching";
import { drawn, forget } from "./kept";

const late = vi.hoisted(() => vi.fn());
vi.mock("react", async () => (await import("./kept")).hooks);
vi.mock("@/hooks/use-environment", () => ({ useVisible: () => true, useOnline: () => true }));
vi.mock("@/lib/late", () => ({ late }));

const draw = (wanted: boolean) => drawn(() => useWatching(wanted));

beforeEach(() => {
  forget();
  vi.useFakeTimers();
});

afterEach(() => void vi.useRealTimers());

test("what tells of jobs in progress loads a second after it is wanted, if it still is", async () => {
  late.mockResolvedValue("part");
  draw(true);
  await vi.advanceTimersByTimeAsync(999);
  draw(false);
  await vi.advanceTimersByTimeAsync(1000);
  expect(late).not.toHaveBeenCalled();
  draw(true);
  await vi.advanceTimersByTimeAsync(999);
  expect(late).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(draw(true)).toBe("part");
});
