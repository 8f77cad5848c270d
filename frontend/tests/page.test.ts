import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeEach, expect, test, vi } from "vitest";
import JobsPage from "@/app/(dashboard)/jobs/page";
import type { JobCommands } from "@/components/JobCard";
import type { List } from "@/lib/deletion";
import type { FoundList, Job, JobFields } from "@/lib/job";
import { drawn, forget } from "./kept";

const { jobs, trash, seen, later, loadLater } = vi.hoisted(() => {
  const jobs = { list: undefined as FoundList | undefined, details: {} as { job?: Job }, refresh: vi.fn() };
  const seen = {} as { deletes: List; commands: JobCommands; asked: JobFields[]; watches: boolean };
  const later = {
    JobsSelection: () => null,
    DeleteDialog: (props: { jobs: JobFields[] }) => {
      seen.asked = props.jobs;
      return null;
    },
  };
  return { jobs, trash: { refresh: vi.fn() }, seen, later, loadLater: vi.fn() };
});
vi.mock("react", async (original) => ({
  ...(await original<typeof import("react")>()),
  ...(await import("./kept")).hooks,
}));
vi.mock("@/app/(dashboard)/jobs/parts", () => ({ parts: {}, loadPartsOnFirstUse: vi.fn() }));
vi.mock("@/components/JobCard", () => ({ JobCard: () => null }));
vi.mock("@/components/JobsContent", () => ({
  JobsContent: (props: { commands: JobCommands }) => {
    seen.commands = props.commands;
    return null;
  },
}));
vi.mock("@/components/JobsToolbar", () => ({ JobsToolbar: () => null }));
vi.mock("@/components/SessionGate", () => ({ useSession: () => ({ userId: "user" }) }));
vi.mock("@/hooks/use-deletion", () => ({
  useDeletion: (list: List) => {
    seen.deletes = list;
    return { outcomes: {} };
  },
}));
vi.mock("@/hooks/use-environment", () => ({ useTelling: () => false }));
vi.mock("@/hooks/use-jobs", () => ({ useJobs: () => jobs }));
vi.mock("@/hooks/use-media-source", () => ({ Loads: (props: { children: ReactNode }) => props.children }));
vi.mock("@/hooks/use-page-change", () => ({ usePageChange: vi.fn() }));
vi.mock("@/hooks/use-part", () => ({ usePart: (_: unknown, load: unknown) => load === loadLater && later }));
vi.mock("@/hooks/use-restore", () => ({ useRestore: () => ({ jobs, trash }) }));
vi.mock("@/hooks/use-selection", () => ({ useSelection: () => ({ jobs: [] }) }));
vi.mock("@/hooks/use-trash", () => ({ useTrash: () => trash }));
vi.mock("@/hooks/use-view", async () => {
  const { ALL } = await import("@/lib/view");
  return { useView: () => [{ ...ALL, details: null }, {}] };
});
vi.mock("@/hooks/use-watching", () => ({
  useWatching: (wanted: boolean) => {
    seen.watches = wanted;
    return null;
  },
}));
vi.mock("@/lib/events", () => ({ listenTo: () => () => vi.fn() }));
vi.mock("@/lib/later", () => ({ loadLater }));
vi.mock("@/lib/layout", () => ({ prefersGrid: () => false, showLayout: vi.fn() }));

const draw = () => drawn(() => renderToStaticMarkup(createElement(JobsPage)));

beforeEach(forget);

test("what is deleted is described as the list has it now, not as it was when its button was pressed", () => {
  const job = { id: "a", status: "processing" } as Job;
  jobs.list = { jobs: [job], total: 1 } as FoundList;
  draw();
  seen.commands.remove(job);
  draw();
  expect(seen.asked).toEqual([job]);
  const done = { ...job, status: "completed" };
  jobs.list = { jobs: [done], total: 1 } as FoundList;
  draw();
  expect(seen.asked).toEqual([done]);
});

test("an active job is watched whether the list shows it or only its details do", () => {
  const [active, done] = [{ status: "processing" } as Job, { status: "completed" } as Job];
  const watches = (listed: Job[], open?: Job) => {
    jobs.list = { jobs: listed, total: listed.length } as FoundList;
    jobs.details = { ...(open && { job: open }) };
    draw();
    return seen.watches;
  };
  expect([watches([done]), watches([active]), watches([done], active), watches([], done)]).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

test("after a deletion the trash is loaded again too, which its user may have opened before the answer", async () => {
  draw();
  await seen.deletes.refresh();
  expect([jobs.refresh.mock.calls.length, trash.refresh.mock.calls.length]).toEqual([1, 1]);
});
