import { PAGE_SIZE } from "@/lib/api";
import { LAYOUT } from "@/lib/layout";
import { RECORD, RENEW_BEFORE } from "@/lib/session";
import type { Settings } from "@/lib/settings";

/** The request for the first page of all jobs, as `listJobs` makes it. */
const PATH = `/jobs?${new URLSearchParams({ page_size: String(PAGE_SIZE), include: "media,counts" })}`;

/**
 * Returns a script for the head of the jobs page. It asks for the list while the page's scripts are still loading,
 * which saves a phone about half a second. `listJobs` takes the answer. Nothing is asked while the page is hidden (as one
 * that is prerendered is), if the address selects another list, or without a token that can be used as it is. It also
 * says before anything is drawn whether the page will show the grid, which is wider.
 */
export function scriptFor({ endpoints }: Settings): string {
  return `try {
  if (localStorage.getItem(${literal(LAYOUT)}) === "grid") document.documentElement.dataset.layout = "grid";
  const { uid, stsTokenManager: tokens } = JSON.parse(localStorage.getItem(${literal(RECORD)}));
  const { accessToken: token, expirationTime: expiresAt } = tokens;
  const isKnown = typeof uid === "string" && typeof token === "string" && typeof expiresAt === "number";
  const isUsable = isKnown && expiresAt - Date.now() > ${RENEW_BEFORE};
  if (isUsable && document.visibilityState === "visible" && !location.search) {
    const url = ${literal(endpoints.listJobs + PATH)};
    const controller = new AbortController();
    const headers = { Authorization: "Bearer " + token };
    const answer = fetch(url, { headers, credentials: "omit", signal: controller.signal });
    const firstList = { url, headers, sentAt: Date.now(), answer, controller };
    answer.then(() => { firstList.cameAt = Date.now(); }, () => undefined);
    globalThis.firstList = firstList;
  }
} catch {
  // Nobody is signed in, or the browser keeps nothing.
}`;
}

/** Without "<", no text can end the script element that contains it. */
function literal(text: string): string {
  return JSON.stringify(text).replaceAll("<", "\\u003c");
}
