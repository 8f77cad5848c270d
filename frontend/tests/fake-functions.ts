/** The functions as the page sees them (infra/openapi.yaml), in memory. A test may change, hold back or refuse answers. */

import { type DeletedJob, GROUPS, groupOf, isActive, isShared, type Job } from "@/lib/job";

export interface Call {
  method: string;
  /** Begins with /jobs. */
  path: string;
  query: Record<string, string>;
  body: Record<string, unknown>;
  headers: Record<string, string>;
  /** When it was made, in seconds since the test began. */
  at: number;
}

interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** Which requests: see LIST, PAGE, POLL and others. */
export type Which = (call: Call) => boolean;
type Answering = (call: Call, usual: () => Answer) => Answer | Promise<Answer>;

/** Requests for lists, including polls and looks. */
export const LIST: Which = ({ method, path }) => method === "GET" && path === "/jobs";
/** Requests for a page of the list with its media. */
export const PAGE: Which = (call) => LIST(call) && call.query.page_size === "20" && !call.query.deleted;
export const POLL: Which = (call) => LIST(call) && call.query.ids !== undefined;
/** Requests that look for new jobs. */
export const LOOK: Which = (call) => LIST(call) && call.query.page_size === "1";
/** Requests to rename or delete a job. */
export const ONE_JOB: Which = ({ method, path }) => method !== "GET" && /^\/jobs\/[^/]+$/.test(path);
export const THUMBNAILS: Which = ({ path }) => path.endsWith("/thumbnails");

export const problem = (status: number, detail: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: { type: "about:blank", title: "Problem", status, detail },
});
/** There is no answer, as without a connection. */
export const NO_CONNECTION: Answering = () => {
  throw new TypeError("Failed to fetch");
};

/** The media of a job that has none. */
export const NO_MEDIA = null as unknown as Job["media"];

type Erasure = { state: "pending" | "done"; jobs: number; deleted: number };

export class FakeFunctions {
  calls: Call[] = [];
  /** All jobs, oldest first, and the trash, last deleted first. */
  jobs: Job[] = [];
  trash: DeletedJob[] = [];
  erasure: Erasure | null = null;
  /** How long signed URLs last, in seconds. Those of each answer differ. */
  urlsLast = 3600;
  /** How far the functions' clock is ahead of the page's, in seconds. With null, no answer has a date. */
  ahead: number | null = 0;
  private answers = 0;
  private others: { which: Which; answering: Answering }[] = [];
  private readonly begin = Date.now();

  /** Adds a job, newer than all before, and returns it. To change it later is what a worker does. */
  add(fields: Partial<Job> = {}): Job {
    const number = this.jobs.length + this.trash.length;
    const status = fields.status === undefined ? "completed" : fields.status;
    const time = (minutes: number) => new Date(this.begin + 60_000 * (number - 300 + minutes)).toISOString();
    const completed = status === "completed";
    const job: Job = {
      ...{ id: `${String(number).padStart(8, "0")}-0000-4000-8000-000000000000`, name: null, status },
      ...{ share_url: null, share_expires_at: null, share_name: false, view_count: 0, job_type: "animate" },
      ...{
        resolution: "720p",
        credits_charged: 10,
        credits_refunded: null,
        extension_prompt: null,
        seed: null,
      },
      ...{ error_message: status === "failed" ? "The motion video has no person in it." : null },
      ...{ source_job_id: null, created_at: time(0), updated_at: time(0) },
      ...{ completed_at: completed ? time(3) : null, media: {} as Job["media"], ...fields },
    };
    this.jobs.push(job);
    return job;
  }

  /** Adds so many without media and returns them, the newest first, as the page lists them. */
  addMany(number: number, fields: Partial<Job> = {}): Job[] {
    return Array.from({ length: number }, () => this.add({ media: NO_MEDIA, ...fields })).reverse();
  }

  remove(...jobs: Job[]): void {
    this.jobs = this.jobs.filter((job) => !jobs.includes(job));
    const [deleted_at, recoverable_until] = [0, 7].map((days) => this.after(86_400 * days));
    this.trash.unshift(...jobs.map((job) => ({ ...job, deleted_at, recoverable_until }) as DeletedJob));
  }

  asked(which: Which): Call[] {
    return this.calls.filter(which);
  }

  times(which: Which): number[] {
    return this.asked(which).map(({ at }) => at);
  }

  /** Answers these requests in another way, until the function that it returns is called. */
  instead(which: Which, answering: Answering): () => void {
    const other = { which, answering };
    this.others.unshift(other);
    return () => void this.others.splice(this.others.indexOf(other), 1);
  }

  refuse(which: Which, ...args: Parameters<typeof problem>): () => void {
    return this.instead(which, () => problem(...args));
  }

  /**
   * Holds these requests back. The function that it returns lets all of them go, with the usual answer of that time or
   * another one. With `answered`, the functions do at once what they are asked, and the page does not know.
   */
  hold(which: Which, { answered = false } = {}): (answering?: Answering) => void {
    let open: (answering?: Answering) => void = () => undefined;
    const opened = new Promise<Answering | undefined>((resolve) => {
      open = resolve;
    });
    const stop = this.instead(which, async (call, usual) => {
      const given = answered ? usual() : null;
      const answering = await opened;
      return given ?? (answering ? answering(call, usual) : usual());
    });
    return (answering) => {
      stop();
      open(answering);
    };
  }

  fetch = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const { pathname, searchParams } = new URL(address);
    const call: Call = {
      method: init.method ?? "GET",
      path: pathname,
      query: Object.fromEntries(searchParams),
      body: JSON.parse(String(init.body ?? "{}")),
      headers: (init.headers ?? {}) as Record<string, string>,
      at: (Date.now() - this.begin) / 1000,
    };
    this.calls.push(call);
    const other = this.others.find(({ which }) => which(call));
    const usual = () => this.answer(call);
    const aborted = new Promise<never>((_, reject) => {
      init.signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    });
    const answering = async () => (other ? other.answering(call, usual) : usual());
    const { status, body, headers } = await Promise.race([answering(), aborted]);
    const date = this.ahead === null ? {} : { Date: new Date(Date.now() + 1000 * this.ahead).toUTCString() };
    const text = JSON.stringify(body);
    const json = async () => JSON.parse(text);
    // A whole Response would need more than microtasks to be read.
    return { status, ok: status < 400, headers: new Headers({ ...date, ...headers }), json } as Response;
  };

  private after(seconds: number): string {
    return new Date(Date.now() + 1000 * seconds).toISOString();
  }

  private answer({ method, path, query, body }: Call): Answer {
    const [, , id, part] = path.split("/");
    const ok = (body: unknown): Answer => ({ status: 200, body });
    if (path === "/jobs/erasure") return this.erasure ? ok(this.erasure) : problem(404, "There is none.");
    if (!id) return method === "GET" ? ok(this.list(query)) : this.erase(Number(query.confirm));
    const job = this.jobs.find((one) => one.id === id);
    const deleted = this.trash.find((one) => one.id === id);
    if (part === "restore" && deleted) {
      const { deleted_at: _, recoverable_until: __, ...fields } = deleted;
      this.trash = this.trash.filter((one) => one !== deleted);
      this.jobs.push(fields as Job);
      this.jobs.sort((one, other) => (String(one.created_at) < String(other.created_at) ? -1 : 1));
      return { status: 202, body: { job_id: id, restore: "done" } };
    }
    if (!job) return problem(404, "There is no such job.");
    if (part === "thumbnails") this.answers += 1;
    if (part === "thumbnails") return ok(this.withMedia(job).media);
    if (part === "output")
      return ok({ job_id: id, download_url: this.url(id, "output.mp4"), filename: "a.mp4" });
    if (part === "share") {
      const name = "share_name" in body ? { share_name: Boolean(body.share_name) } : {};
      const end = "expires_at" in body ? { share_expires_at: body.expires_at as string | null } : {};
      const made = { share_url: `https://nuumee.test/v/${++this.answers}`, share_expires_at: null };
      const ended = { share_url: null, share_expires_at: null };
      Object.assign(job, { POST: made, PATCH: { ...name, ...end }, DELETE: ended }[method]);
      const { share_url, share_expires_at: expires_at, share_name } = job;
      return ok({ job_id: id, share_url, expires_at, share_name });
    }
    if (method === "DELETE") this.remove(job);
    if (method === "DELETE") return { status: 202, body: { job_id: id } };
    if (method === "PATCH") job.name = body.name as string | null;
    return ok(method === "PATCH" ? { id, name: job.name } : job);
  }

  private erase(confirmed: number): Answer {
    if (confirmed !== this.jobs.length) return problem(409, "There is another number of jobs now.");
    this.erasure = { state: "pending", jobs: confirmed, deleted: 0 };
    return { status: 202, body: { message: "The wish is accepted.", erasure: "0".repeat(32) } };
  }

  private list(query: Call["query"]) {
    const { ids, id_prefix, name_prefix, status, shared, type, created_after, created_before, cursor } =
      query;
    const isIn = (names: string | undefined, name: string | null) =>
      !names || names.split(",").includes(String(name));
    const found = query.deleted
      ? [...this.trash]
      : this.jobs.filter(
          (job) =>
            isIn(ids, job.id) &&
            job.id.startsWith(id_prefix ?? "") &&
            (!name_prefix || job.name?.toLowerCase().startsWith(name_prefix.toLowerCase())) &&
            isIn(status, groupOf(job.status)) &&
            (!shared || isShared(job)) &&
            isIn(type, job.job_type) &&
            (!created_after || String(job.created_at) >= created_after) &&
            (!created_before || String(job.created_at) < created_before),
        );
    if (!query.deleted && query.sort !== "oldest" && !id_prefix) found.reverse();
    const size = Number(query.page_size ?? 20);
    const first = cursor ? Number(cursor) : (Number(query.page ?? 1) - 1) * size;
    const jobs = ids ? found : found.slice(first, first + size);
    const next_cursor = !ids && first + size < found.length ? String(first + size) : null;
    this.answers += 1;
    const includes = (part: string) => query.include?.split(",").includes(part);
    return {
      ...{ jobs: includes("media") ? jobs.map((job) => this.withMedia(job as Job)) : jobs },
      ...{ total: found.length, page: Math.floor(first / size) + 1, next_cursor },
      ...(includes("counts") && { counts: this.counts() }),
    };
  }

  private counts() {
    const of = (group: string) => this.jobs.filter((job) => groupOf(job.status) === group).length;
    return { all: this.jobs.length, ...Object.fromEntries(GROUPS.map((group) => [group, of(group)])) };
  }

  private withMedia(job: Job): Job {
    const names = ["reference_image", "motion_video", "input_video", "output_video"] as const;
    const none = Object.fromEntries(names.map((name) => [`${name}_url`, null]));
    const urls = job.media && {
      reference_image_url: this.url(job.id, "reference.jpg"),
      motion_video_url: this.url(job.id, "motion.mp4"),
      output_video_url: isActive(job) || job.status === "failed" ? null : this.url(job.id, "output.mp4"),
    };
    const playable = Object.fromEntries(names.map((name) => [name, null]));
    const expires_at = this.after(this.urlsLast + (this.ahead ?? 0));
    const given = { job_id: job.id, ...none, ...urls, playable, expires_at, ...(job.media as object | null) };
    return { ...job, media: given as unknown as Job["media"] };
  }

  private url(id: string, name: string): string {
    return `https://storage.nuumee.test/${id}/${name}?answer=${this.answers}`;
  }
}
