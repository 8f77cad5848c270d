/** Calls to the functions. Each call throws ApiError, NetworkError, PartMissing or SessionEnded. */

import { ApiError, NetworkError, PartMissing, SessionEnded, SIGN_IN_TOO_OLD } from "@/lib/errors";
import { fetchList } from "@/lib/first-list";
import type { FoundList, Job, JobList, JobThumbnailsResponse, Newest, TrashList } from "@/lib/job";
import { noteServerTime } from "@/lib/server-time";
import { accessToken, endSession } from "@/lib/session";
import { type Endpoint, settings } from "@/lib/settings";
import { dayStart } from "@/lib/time";
import { type Place, waysToSearch } from "@/lib/view";

export const PAGE_SIZE = 20;
/** Milliseconds. */
const TIMEOUT = 20_000;

interface ListQuery {
  view: Place;
  /** How many jobs to return at most. */
  size: number;
  /** The previous page, if known: its cursor is cheaper than a page number. */
  after?: FoundList | undefined;
  /** Whether to also count the jobs of each status. */
  counts: boolean;
}

/**
 * Returns a page of jobs and their media in one request. A search that finds nothing takes another one if the text can
 * begin names as well as ids.
 */
export async function listJobs({ view, size, after, counts }: ListQuery): Promise<FoundList> {
  const { page, search } = view;
  const ask = (filter: Record<string, string>, include: string): Promise<JobList> => {
    const parameters = new URLSearchParams({ page_size: String(size), include, ...filter });
    if (after?.next_cursor) parameters.set("cursor", after.next_cursor);
    else if (page > 1) parameters.set("page", String(page));
    return call("listJobs", `/jobs?${parameters}`, { fetch: fetchList });
  };
  const include = counts ? "media,counts" : "media";
  const before = after?.next_cursor ? after.before + after.jobs.length : (page - 1) * PAGE_SIZE;
  if (!search) return { ...(await ask(filterParameters(view), include)), before };
  const [first, second] = after?.by ? [after.by] : waysToSearch(view);
  const found = { ...(await ask({ [`${first}_prefix`]: search }, include)), before, by: first };
  if (found.total > 0 || !second) return found;
  return { ...found, ...(await ask({ [`${second}_prefix`]: search }, "media")), by: second };
}

/** Returns the parameters that select the jobs of a view without a search, in its order. */
export function filterParameters({
  shared,
  statuses,
  types,
  from,
  to,
  oldest,
}: Place): Record<string, string> {
  return {
    ...(shared && { shared: "true" }),
    ...(statuses.length > 0 && { status: statuses.join(",") }),
    ...(types.length > 0 && { type: types.join(",") }),
    ...(from && { created_after: dayStart(from) }),
    ...(to && { created_before: dayStart(to, 1) }),
    ...(oldest && { sort: "oldest" }),
  };
}

/**
 * Returns the first job of a view, and how many there are. This is the cheapest request that can tell whether a
 * list has changed: docs/cost.md says what it costs.
 */
export function lookForNewest(view: Place, signal?: AbortSignal): Promise<Newest> {
  const parameters = new URLSearchParams({ page_size: "1", ...filterParameters(view) });
  return call("listJobs", `/jobs?${parameters}`, { signal });
}

/** Returns a page of the jobs that can be restored, the last deleted first. A cursor is cheaper than a page number. */
export function listTrash(page: number, cursor: string | undefined): Promise<TrashList> {
  const parameters = new URLSearchParams({ deleted: "true", page_size: String(PAGE_SIZE) });
  if (cursor) parameters.set("cursor", cursor);
  else if (page > 1) parameters.set("page", String(page));
  return call("listJobs", `/jobs?${parameters}`);
}

/** Returns those of the jobs that still exist, with their media. */
export async function getJobs(ids: string[], signal?: AbortSignal): Promise<Job[]> {
  const parameters = new URLSearchParams({ ids: ids.join(","), include: "media" });
  const list = await call<JobList>("listJobs", `/jobs?${parameters}`, { signal });
  return list.jobs;
}

export function getJobThumbnails(jobId: string): Promise<JobThumbnailsResponse> {
  return call("getThumbnails", `/jobs/${encodeURIComponent(jobId)}/thumbnails`);
}

interface Options {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  body?: object;
  signal?: AbortSignal | undefined;
  /** What sends the request, in place of the browser's own. */
  fetch?: typeof fetchList;
}

/** Calls a function. Paths begin with a slash. */
export async function call<T>(endpoint: Endpoint, path: string, options: Options = {}): Promise<T> {
  const { method = "GET", body, signal, fetch = globalThis.fetch } = options;
  // AbortSignal.any would do this, but browsers have had it only since 2024.
  const controller = new AbortController();
  const abort = () => controller.abort();
  signal?.addEventListener("abort", abort);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const send = (token: string) => {
    // The caller may have aborted while we waited for the token.
    signal?.throwIfAborted();
    clearTimeout(timer);
    timer = setTimeout(abort, TIMEOUT);
    return fetch(settings.endpoints[endpoint] + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
      credentials: "omit",
      // What looks done is done also if the page is closed before the browser has asked whether it may be sent. Not with a
      // body, which may be longer than what browsers send then: https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
      keepalive: method !== "GET" && !body,
      signal: controller.signal,
    });
  };
  try {
    let response = await send(await accessToken());
    // A token can be refused before it expires. A fresh one shows whether the session itself has ended.
    if (response.status === 401) response = await send(await accessToken(true));
    noteServerTime(response.headers.get("Date"));
    if (!response.ok) {
      const error = await problem(response);
      if (error.status !== 401 || error.type === SIGN_IN_TOO_OLD) throw error;
      throw new SessionEnded("The functions refuse a fresh token");
    }
    return (await response.json()) as T;
  } catch (error) {
    if (error instanceof SessionEnded) await endSession("revoked");
    // Apart from an abort by the caller, any other error comes from fetch: no response, or an incomplete one.
    const known = [SessionEnded, ApiError, NetworkError, PartMissing];
    if (known.some((kind) => error instanceof kind)) throw error;
    signal?.throwIfAborted();
    throw new NetworkError({ cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

async function problem(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const { detail, type }: { detail?: unknown; type?: unknown } = Object(body);
  const sentence =
    typeof detail === "string" ? detail : `The service returned an error (${response.status}).`;
  return new ApiError(sentence, response.status, retryAfter(response.headers.get("Retry-After")), type);
}

/** Parses a Retry-After header, which holds seconds or a date (RFC 9110, section 10.2.3). Returns milliseconds. */
export function retryAfter(header: string | null, now: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return 1000 * Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
