/** The request for the first list, which a script in the head of the jobs page may have sent: lib/first-list-script.ts. */

import { INTERVAL } from "@/lib/polling";
import { noteServerTime } from "@/lib/server-time";

interface FirstList {
  url: string;
  headers: { Authorization: string };
  /** Milliseconds since 1970. */
  sentAt: number;
  /** When the answer came, or nothing if it has not. */
  cameAt?: number;
  answer: Promise<Response>;
  controller: AbortController;
}

declare global {
  var firstList: FirstList | undefined;
}

/**
 * As `fetch`, for lists. The first call takes the answer to that request if it is the same one, the answer is complete,
 * and it was asked for no longer ago than the time between two polls.
 */
export async function fetchList(
  url: string,
  init: RequestInit & { headers: { Authorization: string }; signal: AbortSignal },
): Promise<Response> {
  const sent = globalThis.firstList;
  globalThis.firstList = undefined;
  if (sent) {
    const cancel = () => sent.controller.abort();
    const isThis = sent.url === url && sent.headers.Authorization === init.headers.Authorization;
    if (isThis && Date.now() - sent.sentAt <= INTERVAL) {
      init.signal.addEventListener("abort", cancel);
      try {
        const response = await sent.answer;
        const taken = new Response(await response.arrayBuffer(), response);
        noteServerTime(taken.headers.get("Date"), sent.cameAt);
        // It may have come some seconds ago: it would be taken for the time of now.
        taken.headers.delete("Date");
        return taken;
      } catch {
        init.signal.throwIfAborted();
      }
    } else cancel();
  }
  return fetch(url, init);
}
