import { beforeEach, describe, expect, test, vi } from "vitest";
import { useJobs } from "@/hooks/use-jobs";
import { ApiError } from "@/lib/errors";
import type { FoundList, JobFields } from "@/lib/job";
import type { Asked } from "@/lib/polling";
import { ALL } from "@/lib/view";
import { drawn, forget } from "./kept";

interface Polling {
  active: boolean;
  asked: Asked;
  poll: () => Promise<void>;
}

const { answer, polling, page, retry, listJobs } = vi.hoisted(() => ({
  answer: { data: undefined as FoundList | undefined, isValidating: false, mutate: vi.fn() },
  polling: [] as Polling[],
  page: { visible: true, load: async (): Promise<unknown> => undefined, comeBack: () => {} },
  retry: vi.fn(),
  listJobs: vi.fn(),
}));
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  ...(await import("./kept")).hooks,
}));
vi.mock("swr", () => ({
  default: (_: unknown, load: typeof page.load) => {
    page.load = load;
    return answer;
  },
}));
vi.mock("@/lib/api", async (original) => ({ ...(await original<typeof import("@/lib/api")>()), listJobs }));
vi.mock("@/hooks/use-counts", () => ({ useCounts: vi.fn() }));
vi.mock("@/hooks/use-details", () => ({ useDetails: () => ({ job: undefined, retry, update: vi.fn() }) }));
vi.mock("@/hooks/use-environment", () => ({
  useVisible: () => page.visible,
  useOnline: () => true,
  useAsks: () => true,
}));
vi.mock("@/hooks/use-polling", () => ({
  usePolling: (active: boolean, asked: { current: Asked }, _: unknown, poll: Polling["poll"]) =>
    void polling.push({ active, asked: asked.current, poll }),
}));
vi.mock("@/hooks/use-renewal", () => ({ useRenewal: vi.fn() }));
vi.mock("@/hooks/use-return", () => ({
  useReturn: (comeBack: () => void) => {
    page.comeBack = comeBack;
  },
}));

const list: FoundList = { jobs: [], total: 0, page: 1, before: 0, next_cursor: null };

function draw() {
  polling.length = 0;
  const view = { ...ALL, details: null };
  return drawn(() => useJobs("user", view, { onChange: vi.fn(), onArrival: vi.fn() }));
}

function pollings() {
  const [polls, looks, loads] = polling;
  if (!polls || !looks || !loads) throw new Error("Nothing is polled");
  return { polls, looks, loads };
}

beforeEach(() => {
  vi.resetAllMocks();
  forget();
  Object.assign(answer, { data: undefined });
  page.visible = true;
  draw();
});

test("whether each of many jobs is being deleted is known without a search among all of them", () => {
  const read = vi.fn();
  const many = Array.from({ length: 1000 }, (_, number) => ({
    status: "failed",
    get id() {
      read();
      return `${number}`;
    },
  })) as unknown as JobFields[];
  draw().hide(many);
  const { isLeaving, isGone } = draw();
  expect(many.every(isLeaving) && many.every(isGone)).toBe(true);
  expect(read.mock.calls.length).toBeLessThan(10 * many.length);
});

describe("a list whose first load has failed", () => {
  const fail = async (retryAfter?: number) => {
    listJobs.mockRejectedValue(new ApiError("Away.", 503, retryAfter));
    await expect(page.load()).rejects.toThrow("Away.");
    draw();
  };

  test("is asked for again while the page is hidden, where nobody sees the button that does", async () => {
    await fail();
    expect(pollings().loads.active).toBe(false);
    page.visible = false;
    draw();
    expect(pollings().loads.active).toBe(true);
    await pollings().loads.poll();
    expect(answer.mutate).toHaveBeenCalledOnce();
  });

  test("is not asked for before Retry-After", async () => {
    page.visible = false;
    await fail(60_000);
    await pollings().loads.poll();
    expect(answer.mutate).not.toHaveBeenCalled();
  });
});

test("once the list loads after an outage, the next poll and the next look are not late", async () => {
  const failures = () => [pollings().polls, pollings().looks].map(({ asked }) => asked.failures);
  for (const { asked } of polling) Object.assign(asked, { failures: 5, delay: 156_000 });
  listJobs.mockRejectedValueOnce(new ApiError("Away.", 503, undefined)).mockResolvedValue(list);
  await expect(page.load()).rejects.toThrow("Away.");
  expect(failures()).toEqual([5, 5]);
  await page.load();
  expect(failures()).toEqual([0, 0]);
});

test("with an old list, the details are loaded again when the user comes back", async () => {
  page.comeBack();
  expect([retry.mock.calls.length, answer.mutate.mock.calls.length]).toEqual([1, 1]);
  page.comeBack(); // A browser may tell of one return by several events.
  expect([retry.mock.calls.length, answer.mutate.mock.calls.length]).toEqual([1, 1]);
});
