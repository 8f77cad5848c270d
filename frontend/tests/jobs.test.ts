import { beforeEach, describe, expect, test, vi } from "vitest";
import { useJobs } from "@/hooks/use-jobs";
import { ApiError } from "@/lib/errors";
import type { FoundList, Job, JobFields } from "@/lib/job";
import type { Asked } from "@/lib/polling";
import { ALL, type View } from "@/lib/view";
import { drawn, forget } from "./kept";

interface Polling {
  active: boolean;
  asked: Asked;
  poll: (signal: AbortSignal, answers: number) => Promise<void>;
}

const { answer, polling, page, retry, listJobs, getJobs, lookForNewest } = vi.hoisted(() => ({
  answer: { data: undefined as FoundList | undefined, isValidating: false, mutate: vi.fn() },
  polling: [] as Polling[],
  page: {
    visible: true,
    details: undefined as Job | undefined,
    load: async (): Promise<unknown> => undefined,
    comeBack: () => {},
  },
  retry: vi.fn(),
  listJobs: vi.fn(),
  getJobs: vi.fn(),
  lookForNewest: vi.fn(),
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
vi.mock("@/lib/api", async (original) => ({
  ...(await original<typeof import("@/lib/api")>()),
  listJobs,
  getJobs,
  lookForNewest,
}));
vi.mock("@/hooks/use-counts", () => ({ useCounts: vi.fn() }));
vi.mock("@/hooks/use-details", () => ({
  useDetails: () => ({ job: undefined, loaded: page.details, retry, update: vi.fn() }),
}));
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

const onChange = vi.fn();
const { signal } = new AbortController();

function draw(changes: Partial<View> = {}) {
  polling.length = 0;
  const view = { ...ALL, details: null, ...changes };
  return drawn(() => useJobs("user", view, { onChange, onArrival: vi.fn() }));
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
  Object.assign(page, { visible: true, details: undefined });
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
    await pollings().loads.poll(signal, 0);
    expect(answer.mutate).toHaveBeenCalledOnce();
  });

  test("is not asked for before Retry-After", async () => {
    page.visible = false;
    await fail(60_000);
    await pollings().loads.poll(signal, 0);
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

const job = (id: string, status: string, updated_at = new Date().toISOString()) =>
  ({ id, status, created_at: updated_at, updated_at, media: {} }) as Job;

test("a poll names no more jobs than the functions take, and that of the open details before those of the list", async () => {
  const jobs = Array.from({ length: 100 }, (_, number) => job(`${number}`, "processing"));
  Object.assign(answer, { data: { ...list, jobs, total: 100 } });
  page.details = job("details", "processing");
  draw();
  getJobs.mockResolvedValue([]);
  await pollings().polls.poll(signal, 0);
  const ids = getJobs.mock.calls[0]?.[0];
  expect([ids.length, ids[0], ids.at(-1)]).toEqual([100, "details", "98"]);
});

describe("a list that a look finds outdated", () => {
  /** Loads a list with this job, and looks when there is a new one. Returns whether it is loaded again at once. */
  const look = async (jobs: Job[], filter: Partial<View>) => {
    draw(filter);
    listJobs.mockResolvedValue({ ...list, jobs, total: 1 });
    answer.data = (await page.load()) as FoundList;
    draw(filter);
    lookForNewest.mockResolvedValue({ jobs: [job("b", "processing")], total: 1 });
    await pollings().looks.poll(signal, 0);
    return reloads() > 0;
  };
  const reloads = () => answer.mutate.mock.calls.filter(([change]) => !change).length;

  test("is loaded at once", async () => {
    expect(await look([job("a", "processing")], {})).toBe(true);
  });

  test("is loaded after the next poll if jobs that have ended leave it, so that they are told of", async () => {
    vi.useFakeTimers();
    expect(await look([job("a", "processing")], { statuses: ["processing"] })).toBe(false);
    getJobs.mockResolvedValue([job("a", "completed")]);
    answer.mutate.mockImplementation(async (change) => change?.(answer.data));
    await pollings().polls.poll(signal, 0);
    expect(onChange.mock.calls.flat(2)).toMatchObject([{ id: "a", status: "completed" }]);
    expect([reloads(), answer.mutate.mock.lastCall]).toEqual([1, []]);
    // Once it was loaded, it is right.
    vi.advanceTimersByTime(1);
    await page.load();
    await pollings().polls.poll(signal, 1);
    expect(reloads()).toBe(1);
    vi.useRealTimers();
  });

  test("is loaded at once if no job in it moves, as the next poll may be minutes away", async () => {
    const stalled = job("a", "processing", "2020-01-01T00:00:00Z");
    expect(await look([stalled], { statuses: ["processing"] })).toBe(true);
  });
});
