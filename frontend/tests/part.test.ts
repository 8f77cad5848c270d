import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { usePart } from "@/hooks/use-part";
import { NetworkError } from "@/lib/errors";
import { drawn, forget } from "./kept";

const { late, notify, page } = vi.hoisted(() => ({ late: vi.fn(), notify: vi.fn(), page: { seen: true } }));
vi.mock("react", async () => (await import("./kept")).hooks);
vi.mock("@/lib/late", () => ({ late }));
vi.mock("@/lib/notify", () => ({ notify }));
vi.mock("@/lib/polling", () => ({
  afterBeingLookedAt: (delay: number, act: () => void) => {
    const timer = setTimeout(() => page.seen && act(), delay);
    return () => clearTimeout(timer);
  },
}));

const part = { default: "part" };
const load = async () => part;
const onFailure = vi.fn();
const draw = async (wanted: number) => {
  drawn(() => usePart(wanted, load, onFailure));
  await vi.advanceTimersByTimeAsync(1000);
  return drawn(() => usePart(wanted, load, onFailure));
};

beforeEach(() => {
  forget();
  vi.useFakeTimers();
  late.mockRejectedValue(new NetworkError());
});

afterEach(() => {
  vi.useRealTimers();
  vi.resetAllMocks();
});

test("a part that could not be loaded is loaded after a minute if it is still wanted, and then no more", async () => {
  for (let time = 0; time < 3; time += 1) expect(await draw(1)).toBeNull();
  expect([late, notify, onFailure].map((called) => called.mock.calls.length)).toEqual([1, 1, 1]);
  late.mockResolvedValue(part);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await draw(1)).toBe("part");
  await vi.advanceTimersByTimeAsync(120_000);
  expect(await draw(1)).toBe("part");
  expect(late).toHaveBeenCalledTimes(2);
});

test("a part that fails for one reason after another is tried once a minute, and not while nobody looks", async () => {
  for (const wanted of [1, 2, 1, 2, 1, 2]) await draw(wanted);
  late.mockClear();
  for (let second = 0; second < 180; second += 1) await draw(2);
  expect(late.mock.calls.length).toBeLessThanOrEqual(3);
  expect(late).toHaveBeenCalled();
  page.seen = false;
  late.mockClear();
  for (let second = 0; second < 180; second += 1) await draw(2);
  page.seen = true;
  expect(late.mock.calls.length).toBe(0);
});

test("a part that could not be loaded is loaded at once for one more reason or the next time, and not unless wanted", async () => {
  expect(await draw(1)).toBeNull();
  expect(await draw(2)).toBeNull();
  expect(late).toHaveBeenCalledTimes(2);
  await draw(1);
  expect(late).toHaveBeenCalledTimes(2);
  await draw(0);
  await vi.advanceTimersByTimeAsync(60_000);
  await draw(0);
  expect(late).toHaveBeenCalledTimes(2);
  late.mockResolvedValue(part);
  expect(await draw(1)).toBe("part");
});
