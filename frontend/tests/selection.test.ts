import { expect, test } from "vitest";
import type { JobFields } from "@/lib/job";
import { type Chosen, choose, lostFrom, withoutChosen } from "@/lib/selection";

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

test("chosen jobs that the page no longer shows are lost, unless they may be elsewhere or were deleted here", () => {
  const ids = new Set(["a", "next page", "deleted here", "elsewhere"]);
  const gone = ({ id }: { id: string }) => id === "deleted here";
  const lost = lostFrom({ ...none, ids, elsewhere: [job("elsewhere")] }, shown, gone);
  expect(lost).toEqual([{ id: "next page" }]);
  expect(lostFrom({ ...none, ids: new Set(["a", "e"]) }, shown, gone)).toEqual([]);
});
