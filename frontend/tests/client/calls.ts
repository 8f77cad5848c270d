/**
 * Calls by a client that is generated from infra/openapi.yaml, and the page's own types beside the described ones. It
 * is never run: `npm run lint` generates the client's types and checks these calls with them.
 */

import createClient from "openapi-fetch";
import type {
  Counts,
  Job,
  JobList,
  JobOutputResponse,
  JobShareResponse,
  JobStatus,
  JobThumbnailsResponse,
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
  // @ts-expect-error: media are there if they were asked for
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
  // @ts-expect-error: media come with lists alone
  data?.media;
  return id ?? `${response.status}`;
}

export async function downloadOrStatus(): Promise<string> {
  const { data, error } = await client.GET("/jobs/{job_id}/output", { params: { path } });
  if (data) return data.download_url;
  // @ts-expect-error: only a job that is not completed has it told
  error.current_status;
  return error.status === 409 ? error.current_status : error.title;
}

export async function changes(): Promise<(string | null | undefined)[]> {
  const share = await client.POST("/jobs/{job_id}/share", { params: { path } });
  const deletion = await client.DELETE("/jobs/{job_id}", { params: { path } });
  const purge: "pending" | "done" | undefined = deletion.data?.purge;
  return [share.data?.share_url, deletion.data?.deleted_at, purge];
}

export function mistakes(): void {
  // @ts-expect-error: there is no such status
  client.GET("/jobs", { params: { query: { status: ["lost"] } } });
  // @ts-expect-error: the job is missing
  client.DELETE("/jobs/{job_id}");
  // @ts-expect-error: a thumbnail is not deleted
  client.DELETE("/jobs/{job_id}/thumbnails", { params: { path } });
}

/** Passes the type check where an answer as it is described has all that the page reads of it. */
type Read<Page, Answer extends Page> = [Page, Answer];

export type PageReadsWhatIsDescribed = [
  Read<Omit<JobList, "jobs">, Described["JobList"]>,
  Read<Job, Required<Described["ListedJob"]>>,
  Read<JobThumbnailsResponse, Described["Media"]>,
  Read<Counts, Described["Counts"]>,
  Read<JobOutputResponse, Described["Download"]>,
  Read<JobShareResponse, Described["Share"]>,
  Read<Described["JobStatus"], JobStatus>,
  Read<JobStatus, Described["JobStatus"]>,
];
