// @vitest-environment happy-dom
/** What the page asks by itself: it polls for active jobs and renews signed URLs, while it is visible. */

import { expect, test } from "vitest";
import { LIST, PAGE, POLL } from "./fake-functions";
import { card, cards, functions, idsOf, open, run, show } from "./rendered";

const MINUTE = 60;

/** What comes between two requests, in whole seconds. */
const gaps = (times: number[]) =>
  times.slice(1).map((time, place) => Math.round(time - Number(times[place])));

test("active jobs are polled every ten seconds unless the page is hidden, which loads its list when shown", async () => {
  functions.add({ status: "processing" }); // On the second page once the others are added.
  const active = ["pending", "queued", "processing"].map((status) => functions.add({ status }));
  functions.addMany(17, { status: "failed" });
  await open();
  await run(40);
  const polls = functions.asked(POLL);
  expect(gaps(functions.times(LIST))).toEqual([10, 10, 10, 10]);
  expect(polls).toHaveLength(4);
  for (const { query } of polls) {
    expect(query.ids?.split(",").sort()).toEqual(idsOf(active));
    expect(Object.keys(query)).toEqual(["ids", "include"]);
    expect(query.include).toBe("media");
  }

  await show("hidden");
  await run(5 * MINUTE);
  expect(functions.asked(LIST)).toHaveLength(5);
  await show("visible");
  // The list, which is old by now, contains what a poll would ask for.
  expect(functions.asked(LIST)).toHaveLength(6);
  expect(functions.asked(POLL)).toHaveLength(4);
  await run(10);
  expect(functions.asked(POLL)).toHaveLength(5);
  expect(gaps(functions.times(LIST)).at(-1)).toBe(10);
});

test("a page that is opened while hidden asks nothing, and loads its list once when it is shown", async () => {
  const job = functions.add({ status: "processing" });
  await open("", { hidden: true });
  await run(5 * MINUTE);
  expect(functions.calls).toEqual([]);
  await show("visible");
  expect(functions.asked(LIST)).toHaveLength(1);
  expect(cards()).toEqual([job.id]);
  await run(10);
  expect(gaps(functions.times(LIST))).toEqual([10]);
});

/** The number of the answer that brought the URLs which the job's tiles show. */
function shownAnswers(job: { id: string }): (string | undefined)[] {
  const media = [...card(job).querySelectorAll<HTMLImageElement | HTMLVideoElement>("img, video")];
  return media.map(({ src }) => /answer=(\d+)/.exec(src)?.[1]);
}

test("URLs are renewed once before they expire", async () => {
  const job = functions.add();
  functions.urlsLast = 30 * MINUTE;
  await open();
  expect(shownAnswers(job)).toEqual(["1", "1", "1"]);
  await run(30 * MINUTE);
  expect(gaps(functions.times(PAGE))).toEqual([25 * MINUTE]);
  const [answer, ...others] = new Set(shownAnswers(job));
  expect([Number(answer) > 1, others]).toEqual([true, []]);
});
