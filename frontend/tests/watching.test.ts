import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeEach, expect, test, vi } from "vitest";
import { Watch } from "@/components/Watching";
import type { Jobs } from "@/hooks/use-jobs";
import type { FoundList, Job } from "@/lib/job";
import { drawn, forget } from "./kept";

vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  ...(await import("./kept")).hooks,
}));
vi.mock("@/hooks/use-now", () => ({ useNow: () => Date.parse("2026-01-01T00:01:30Z") }));

const page = { title: "", querySelector: () => null, addEventListener: vi.fn(), hasFocus: () => true };

beforeEach(() => {
  forget();
  page.title = "Jobs";
  vi.stubGlobal("document", page);
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("window", { addEventListener: vi.fn() });
});

test("the job whose details are open counts once, whether the list shows it or not", () => {
  const [created_at, updated_at] = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"];
  const job = { id: "a", status: "processing", created_at, updated_at } as Job;
  const titleFor = (listed: Job[]) => {
    const jobs = { list: { jobs: listed } as FoundList, details: { job } } as Jobs;
    drawn(() => renderToStaticMarkup(createElement(Watch, { jobs, onOpen: vi.fn() })));
    return page.title;
  };
  expect(titleFor([])).toBe("Processing 1m 30s · Jobs");
  expect(titleFor([job])).toBe("Processing 1m 30s · Jobs");
  expect(titleFor([{ ...job, id: "b" }])).toBe("Jobs");
});
