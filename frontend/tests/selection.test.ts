import { beforeEach, describe, expect, test, vi } from "vitest";
import { useSelection } from "@/hooks/use-selection";
import type { JobFields } from "@/lib/job";
import { type Chosen, choose, type JobId, lostFrom, withoutChosen } from "@/lib/selection";
import { ALL } from "@/lib/view";

const kept = vi.hoisted(() => ({
  state: undefined as unknown,
  ref: undefined as { current: unknown } | undefined,
}));
// A rendering on the server keeps neither state nor references, and has no effects.
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  useState: (first: unknown) => {
    kept.state ??= first;
    const set = (next: unknown) => {
      kept.state = typeof next === "function" ? next(kept.state) : next;
    };
    return [kept.state, set];
  },
  useRef: (first: unknown) => {
    kept.ref ??= { current: first };
    return kept.ref;
  },
  useEffect: (effect: () => void) => effect(),
}));

const job = (id: string) => ({ id }) as JobFields;
const shown = ["a", "b", "c", "d", "e"].map(job);
const none: Chosen<JobFields> = { ids: new Set(), elsewhere: [], last: null };

function after(...steps: [id: string, on: boolean, range: boolean][]): string {
  const chosen = steps.reduce((before, [id, on, range]) => choose(before, shown, job(id), on, range), none);
  return [...chosen.ids].sort().join("");
}

test("with Shift, the jobs from the last one to this one are chosen or left out alike", () => {
  expect(after(["b", true, false], ["d", true, true])).toBe("bcd");
  expect(after(["d", true, false], ["b", true, true])).toBe("bcd");
  expect(after(["a", true, false], ["e", true, true], ["d", false, false], ["b", false, true])).toBe("ae");
});

test("without a last one that is shown, and without Shift, one job is chosen", () => {
  expect(after(["c", true, true])).toBe("c");
  expect(after(["a", true, false], ["c", true, false])).toBe("ac");
  expect([...choose({ ...none, last: "gone" }, shown, job("c"), true, true).ids]).toEqual(["c"]);
});

test("a job that was deleted is no longer chosen, and comes back as one that nobody has chosen", () => {
  const chosen = { ...none, ids: new Set(["a", "b"]), elsewhere: [job("b")] };
  expect([...withoutChosen(chosen, [job("b"), job("z")]).ids]).toEqual(["a"]);
});

test("if a job was deleted that nobody has chosen, the choice is the same one", () => {
  const chosen = { ...none, ids: new Set(["a", "b"]) };
  expect(withoutChosen(chosen, [job("z")])).toBe(chosen);
});

test("chosen jobs that the page no longer shows are lost, unless they may be elsewhere or are being deleted here", () => {
  const ids = new Set(["a", "next page", "deleted in another tab", "leaving", "elsewhere"]);
  const leaving = ({ id }: { id: string }) => id === "leaving";
  const lost = lostFrom({ ...none, ids, elsewhere: [job("elsewhere")] }, shown, leaving);
  expect(lost).toEqual([{ id: "next page" }, { id: "deleted in another tab" }]);
  expect(lostFrom({ ...none, ids: new Set(["a", "e"]) }, shown, leaving)).toEqual([]);
});

describe("all jobs that match", () => {
  const view = { ...ALL, details: null };
  const [a, b, z] = [job("a"), job("b"), job("z")];
  beforeEach(() => void Object.assign(kept, { state: undefined, ref: undefined }));

  test("are selected, on whatever page, without those that were deleted while they were looked for", () => {
    const use = (listed: JobFields[], gone: JobId[]) =>
      useSelection(view, listed, ({ id }) => gone.some((one) => one.id === id));
    const before = use([a, b], []);
    use([a], [b]);
    expect(before.selectThese([a, b, z])).toBe(2);
    expect(use([a], [b])).toMatchObject({ jobs: [a, z], lost: [] });
  });

  test("are no longer looked for once the selection has another state, as after each change, or on another page", () => {
    const use = (page = 1) => useSelection({ ...view, page }, [a, b]);
    const { state, select } = use();
    expect(use().state).toBe(state);
    select(a, true);
    const selected = use().state;
    expect(selected).not.toBe(state);
    use(2);
    expect(use(2).state).not.toBe(selected);
  });
});
