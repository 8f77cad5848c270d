import { PAGE_SIZE } from "@/lib/api";
import { RECORD, RENEW_BEFORE } from "@/lib/session";
import type { Settings } from "@/lib/settings";

/** The request for the first page of all jobs, as `listJobs` makes it. */
const PATH = `/jobs?${new URLSearchParams({ page_size: String(PAGE_SIZE), include: "media,counts" })}`;

/**
 * Returns a script for the head of the jobs page. It asks for the list while the page's scripts are still loading,
 * which saves a phone about half a second. `call` takes the answer. Nothing is asked if the address selects another
 * list, or without a token that can be used as it is.
 */
export function scriptFor({ endpoints }: Settings): string {
  return `try {
  const { accessToken: token, expirationTime } = JSON.parse(localStorage.getItem(${JSON.stringify(RECORD)})).stsTokenManager;
  if (!location.search && expirationTime - Date.now() > ${RENEW_BEFORE}) {
    const url = ${JSON.stringify(endpoints.listJobs + PATH)};
    const controller = new AbortController();
    const headers = { Authorization: "Bearer " + token };
    const answer = fetch(url, { headers, credentials: "omit", signal: controller.signal });
    answer.catch(() => undefined);
    globalThis.firstList = { url, token, answer, controller };
  }
} catch {
  // Nobody is signed in, or the browser keeps nothing.
}`;
}
