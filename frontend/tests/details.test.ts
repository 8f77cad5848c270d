import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeEach, expect, test, vi } from "vitest";
import DetailsDialog from "@/components/dialogs/DetailsDialog";
import { useDetails } from "@/hooks/use-details";
import type { Jobs } from "@/hooks/use-jobs";
import { NetworkError, SessionEnded } from "@/lib/errors";
import type { Job } from "@/lib/job";

const { answer, redraw, refs, place } = vi.hoisted(() => ({
  redraw: vi.fn(),
  answer: {
    data: undefined as Job | null | undefined,
    error: undefined as unknown,
    isValidating: false,
    mutate: vi.fn(),
  },
  refs: [] as { current: unknown }[],
  place: { next: 0 },
}));
vi.mock("swr", () => ({ default: () => answer }));
// A rendering on the server keeps no references, and has no effects.
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  useRef: (first: unknown) => {
    const number = place.next++;
    refs[number] ??= { current: first };
    return refs[number];
  },
  useEffect: (effect: () => void) => effect(),
  useReducer: () => [0, redraw],
}));
vi.mock("@/components/ui/Modal", () => ({ Modal: ({ children }: { children: ReactNode }) => children }));
vi.mock("@/components/dialogs/NameField", () => ({ NameField: () => "The details" }));
vi.mock("@/components/MediaTile", () => ({ MediaTile: Object.assign(() => null, { Skeleton: () => null }) }));
vi.mock("@/components/dialogs/ReceiptDialog", () => ({ ReceiptOf: () => "The receipt" }));

const job = { id: "a", status: "processing", media: {} } as Job;

function useFound(listed: Job[], id = "a") {
  place.next = 0;
  return useDetails("user", id, listed, false, (jobs) => jobs);
}

function shown(found: Job | null | undefined, error?: unknown): string {
  const jobs = { details: { job: found, error, retry: vi.fn() }, thumbnails: {} } as unknown as Jobs;
  const props = { jobId: "a", jobs, onPreview: vi.fn(), onOpen: vi.fn(), onClose: vi.fn() };
  return renderToStaticMarkup(createElement(DetailsDialog, props));
}

beforeEach(() => {
  vi.clearAllMocks();
  refs.length = 0;
  Object.assign(answer, { data: undefined, error: undefined, isValidating: false });
});

test("a job that the list no longer has stays as it was, and is loaded only once it has been", () => {
  expect(useFound([job])).toMatchObject({ job, loaded: undefined });
  expect(useFound([])).toMatchObject({ job, loaded: undefined });
  const now = { ...job, status: "completed" };
  answer.data = now;
  expect(useFound([])).toMatchObject({ job: now, loaded: now });
});

test("a job that stays as it was and cannot be loaded is shown together with the error", () => {
  useFound([job]);
  answer.error = new NetworkError();
  const { job: kept, error } = useFound([]);
  expect(shown(kept, error)).toMatch(/role="alert".*The service cannot be reached.*Try again.*The details/s);
});

test.each([
  ["is being loaded", { isValidating: true }],
  ["could not be loaded", { error: new NetworkError() }],
])(
  "what the user changes of a job that the list no longer has and that %s is shown, and loaded again",
  (_, now) => {
    useFound([job]);
    Object.assign(answer, now);
    useFound([]).update((one) => ({ ...one, name: "First try" }));
    expect(redraw).toHaveBeenCalledOnce();
    // An answer that is under way may be older than the change, so a new one takes its place.
    expect(answer.mutate.mock.calls).toEqual([[]]);
    expect(useFound([]).job).toEqual({ ...job, name: "First try" });
  },
);

test("such a job stays as it was if another one is changed, or a poll tells that it is gone", () => {
  useFound([job]);
  const { update } = useFound([]);
  update((one) => one);
  update(() => null);
  expect([redraw.mock.calls, answer.mutate.mock.calls]).toEqual([[], []]);
  expect(useFound([]).job).toEqual(job);
});

test("a change of a job whose details were open before is none of the job that cannot be loaded", () => {
  useFound([job]);
  answer.error = new NetworkError();
  useFound([job], "z").update((one) => ({ ...one }));
  expect([redraw.mock.calls, answer.mutate.mock.calls]).toEqual([[], []]);
});

test("without an error there is no alert, and without a job the error alone is shown", () => {
  expect(shown(job)).toMatch(/^(?!.*alert).*The details/s);
  expect(shown(undefined)).toMatch(/^(?!.*alert).*Loading the job/s);
  expect(shown(undefined, new NetworkError())).toMatch(/^(?!.*Loading the job).*Try again/s);
  expect(shown(null, new NetworkError())).toBe("The receipt");
});

test("an error is not told while the job is loaded again, nor while the browser leaves to sign in", () => {
  answer.error = new NetworkError();
  expect(useFound([]).error).toBe(answer.error);
  answer.isValidating = true;
  expect(useFound([]).error).toBeUndefined();
  Object.assign(answer, { isValidating: false, error: new SessionEnded() });
  expect(useFound([]).error).toBeUndefined();
});
