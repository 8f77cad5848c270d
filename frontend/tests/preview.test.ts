import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import PreviewDialog from "@/components/dialogs/PreviewDialog";
import type { Jobs } from "@/hooks/use-jobs";
import type { Job } from "@/lib/job";

vi.mock("@/components/ui/Modal", () => ({ Modal: ({ children }: { children: ReactNode }) => children }));
vi.mock("@/components/dialogs/Medium", () => ({ Medium: () => null, StandInNote: () => null }));
vi.mock("@/components/JobActions", () => ({
  JobActions: ({ job }: { job: Job }) => `This job is ${job.status}.`,
}));

const jobOf = (id: string, status: string) => ({ id, status, media: { job_id: id } }) as Job;

test.each([
  ["processing", undefined],
  ["processing", jobOf("b", "completed")],
  ["processing", null],
  ["completed", jobOf("a", "completed")],
])(
  "a preview above the details shows its job as they do, and as it was if they do not have it: %s",
  (status, job) => {
    const jobs = { details: { job }, thumbnails: {} } as unknown as Jobs;
    const stop = { job: jobOf("a", "processing"), scene: "REF" as const };
    const on = { onMove: vi.fn(), onDetails: vi.fn(), onDelete: vi.fn(), onClose: vi.fn() };
    const markup = renderToStaticMarkup(
      createElement(PreviewDialog, { jobs, stop, overDetails: true, ...on }),
    );
    expect(markup).toContain(`This job is ${status}.`);
  },
);
