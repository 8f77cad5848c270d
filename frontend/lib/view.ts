/** What the page shows, kept in its address: /jobs/?status=failed&page=2&job=... */

import { GROUPS, type Group } from "@/lib/job";

export interface View {
  status: Group | null;
  /** Whether to show the trash, which has no other filter and no search. */
  deleted: boolean;
  page: number;
  /** The prefix to search ids for; "" for no search. A search covers all jobs, whatever their status. */
  search: string;
  /** The id of the job whose details are open. */
  details: string | null;
}

const JOB_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** Reads the address. Invalid parameters are ignored. */
export function parseView(parameters: URLSearchParams): View {
  const status = GROUPS.find((group) => group === parameters.get("status")) ?? null;
  const page = Number(parameters.get("page") ?? 1);
  const search = parameters.get("q")?.trim() ?? "";
  const deleted = search === "" && parameters.get("deleted") === "true";
  const details = parameters.get("job");
  return {
    status: search === "" && !deleted ? status : null,
    deleted,
    page: Number.isInteger(page) && page >= 1 && page < 1e9 ? page : 1,
    search,
    details: details && JOB_ID.test(details) ? details : null,
  };
}

/** Identifies the list that is shown, and its page. */
export function placeOf({ deleted, status, search, page }: View): string {
  return JSON.stringify([deleted, status, search, page]);
}

export function viewAddress(view: View): string {
  const parameters = new URLSearchParams();
  if (view.deleted) parameters.set("deleted", "true");
  if (view.status) parameters.set("status", view.status);
  if (view.search) parameters.set("q", view.search);
  if (view.page > 1) parameters.set("page", String(view.page));
  if (view.details) parameters.set("job", view.details);
  const query = parameters.toString();
  return query ? `/jobs/?${query}` : "/jobs/";
}

/** Whether an id can begin with this text. */
export function isSearchable(search: string): boolean {
  return JOB_ID.test(search) && !/^__.*__$/.test(search);
}
