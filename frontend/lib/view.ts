/** What the page shows, kept in its address: /jobs/?status=failed&page=2&job=... */

import { GROUPS, type Group, JOB_TYPES, type Way } from "@/lib/job";

/** What the jobs of a list have in common, and their order. Nothing chosen stands for all jobs, newest first. */
export interface Filter {
  statuses: Group[];
  types: string[];
  /** The first and last day on which a job was created, such as 2026-11-26, in the reader's time zone; "" for none. */
  from: string;
  to: string;
  oldest: boolean;
}

export interface View extends Filter {
  /** Whether to show the jobs with a share link, which go with no other filter. */
  shared: boolean;
  /** Whether to show the trash, which has no other filter and no search. */
  deleted: boolean;
  page: number;
  /** The beginning of an id or a name; "" for no search. A search covers all jobs, whatever the filter. */
  search: string;
  /** What the user chose to search; null for whatever finds something. */
  by: Way | null;
  /** The id of the job whose details are open. */
  details: string | null;
}

export const NO_FILTER: Filter = { statuses: [], types: [], from: "", to: "", oldest: false };
/** A view without the details that are open: what selects a list. */
export type Place = Omit<View, "details">;

/** The first page of all jobs. */
export const ALL: Place = { ...NO_FILTER, shared: false, deleted: false, page: 1, search: "", by: null };

const LONGEST_NAME = 80;
const JOB_ID = /^[A-Za-z0-9_-]{1,128}$/;
/** What the beginning of an id mostly looks like, and a name hardly ever. */
const LIKE_AN_ID = /^(?=.{6}|.*\d)[0-9a-f-]+$/;
const DATE = /^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** Reads the address. Invalid parameters are ignored. */
export function parseView(parameters: URLSearchParams): View {
  const page = Number(parameters.get("page") ?? 1);
  const search = parameters.get("q")?.trim() ?? "";
  const deleted = search === "" && parameters.get("deleted") === "true";
  const shared = search === "" && !deleted && parameters.get("shared") === "true";
  const by = parameters.get("by");
  const details = parameters.get("job");
  return {
    ...(search || deleted || shared ? NO_FILTER : parseFilter(parameters)),
    shared,
    deleted,
    page: Number.isInteger(page) && page >= 1 && page < 1e9 ? page : 1,
    search,
    by: search && (by === "id" || by === "name") ? by : null,
    details: details && JOB_ID.test(details) ? details : null,
  };
}

function parseFilter(parameters: URLSearchParams): Filter {
  const chosen = <T extends string>(name: string, known: readonly T[]) => {
    const named = parameters.get(name)?.split(",");
    return known.filter((one) => named?.includes(one));
  };
  const day = (name: string) => parameters.get(name)?.match(DATE)?.[0] ?? "";
  const from = day("from");
  const to = day("to");
  return {
    statuses: chosen("status", GROUPS),
    types: chosen("type", JOB_TYPES),
    from,
    to: to < from ? "" : to,
    oldest: parameters.get("sort") === "oldest",
  };
}

/** Identifies the list that is shown, and its page. */
export function placeOf({ details: _, ...place }: View): string {
  return JSON.stringify(place);
}

export function viewAddress(view: View): string {
  const query = new URLSearchParams(
    Object.entries({
      shared: view.shared && "true",
      deleted: view.deleted && "true",
      status: view.statuses.join(","),
      type: view.types.join(","),
      from: view.from,
      to: view.to,
      sort: view.oldest && "oldest",
      q: view.search,
      by: view.by,
      page: view.page > 1 && String(view.page),
      job: view.details,
    }).filter((one): one is [string, string] => Boolean(one[1])),
  );
  // Safari 16 has no `size`.
  const text = String(query).replaceAll("%2C", ",");
  return text ? `/jobs/?${text}` : "/jobs/";
}

/** Whether the list is filtered by more than the buttons for one status show, or is in another order. */
export function isNarrowed({ statuses, types, from, to, oldest }: Filter): boolean {
  return statuses.length > 1 || types.length > 0 || Boolean(from || to) || oldest;
}

/** Returns what can begin with the text that is searched for, the likelier first; nothing if nothing can. */
export function waysToSearch({ search, by }: Pick<View, "search" | "by">): Way[] {
  const possible: Way[] = JOB_ID.test(search) && !/^__.*__$/.test(search) ? ["id"] : [];
  if ([...search].length <= LONGEST_NAME) possible[LIKE_AN_ID.test(search) ? "push" : "unshift"]("name");
  return possible.filter((way) => search && (by === null || way === by));
}
