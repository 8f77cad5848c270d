/**
 * Calls by a client that is generated from infra/openapi.yaml, and a comparison of the page's own types with the
 * described ones. This file is never run: `npm run lint` generates the client's types and type-checks it.
 */

import createClient from "openapi-fetch";
import type {
  Counts,
  DeletedJob,
  Erasure,
  Job,
  JobList,
  JobName,
  JobOutputResponse,
  JobRestoreResponse,
  JobShareResponse,
  JobStatus,
  JobThumbnailsResponse,
  Receipt,
  TrashList,
} from "@/lib/job";
import type { components, paths } from "../../node_modules/.cache/described-api";

type Described = components["schemas"];
const client = createClient<paths>({ baseUrl: "https://api.nuumee.test" });
const path = { job_id: "70eb9a0a" };

export async function outputsOfFinishedJobs(): Promise<(string | null | undefined)[]> {
  const { data, error } = await client.GET("/jobs", {
    params: { query: { status: ["completed", "failed"], include: ["media", "counts"], page_size: 100 } },
  });
  if (error) throw new Error(error.detail);
  const all: number | undefined = data.counts?.all;
  const [first] = data.jobs;
  // @ts-expect-error: media are present only if requested
  first?.media.output_video_url;
  // @ts-expect-error: a job has no such field
  first?.title;
  return data.jobs.slice(0, all).map((job) => job.media?.output_video_url);
}

export async function oneJob(): Promise<string> {
  const { data, response } = await client.GET("/jobs/{job_id}", {
    params: { path, header: { "If-None-Match": '"0"' } },
  });
  const id: string | undefined = data?.id;
  // @ts-expect-error: only lists have media
  data?.media;
  return id ?? `${response.status}`;
}

export async function downloadOrStatus(): Promise<string> {
  const { data, error } = await client.GET("/jobs/{job_id}/output", { params: { path } });
  if (data) return data.download_url;
  // @ts-expect-error: only the error for an uncompleted job has this field
  error.current_status;
  return error.status === 409 ? error.current_status : error.title;
}

export async function changes(): Promise<(string | null | undefined)[]> {
  const renamed = await client.PATCH("/jobs/{job_id}", { params: { path }, body: { name: "First try" } });
  const share = await client.POST("/jobs/{job_id}/share", { params: { path } });
  await client.PATCH("/jobs/{job_id}/share", { params: { path }, body: { share_name: true } });
  const deletion = await client.DELETE("/jobs/{job_id}", { params: { path } });
  const purge: "pending" | "done" | undefined = deletion.data?.purge;
  return [renamed.data?.name, share.data?.share_url, deletion.data?.deleted_at, purge];
}

export function mistakes(): void {
  // @ts-expect-error: no such status exists
  client.GET("/jobs", { params: { query: { status: ["lost"] } } });
  // @ts-expect-error: the job id is missing
  client.DELETE("/jobs/{job_id}");
  // @ts-expect-error: a renaming holds a name, or null
  client.PATCH("/jobs/{job_id}", { params: { path }, body: {} });
  // @ts-expect-error: thumbnails cannot be deleted
  client.DELETE("/jobs/{job_id}/thumbnails", { params: { path } });
}

/** Passes the type check if the described answer has every field that the page reads. */
type Read<Page, Answer extends Page> = [Page, Answer];

export type PageReadsWhatIsDescribed = [
  Read<Omit<JobList, "jobs">, Described["JobList"]>,
  Read<Job, Required<Described["ListedJob"]>>,
  Read<Omit<TrashList, "jobs">, Described["JobList"]>,
  Read<DeletedJob, Required<Described["ListedJob"]>>,
  Read<Receipt, Described["Receipt"]>,
  Read<Erasure, Described["Erasure"]>,
  Read<JobRestoreResponse, Described["Restore"]>,
  Read<JobThumbnailsResponse, Described["Media"]>,
  Read<Counts, Described["Counts"]>,
  Read<JobOutputResponse, Described["Download"]>,
  Read<JobShareResponse, Described["Share"]>,
  Read<JobName, Described["Job"]>,
  Read<Described["JobStatus"], JobStatus>,
  Read<JobStatus, Described["JobStatus"]>,
];
