/** Loads parts of the page that are needed later. After a deployment, an open page may ask for files that are gone. */

import { NetworkError, PartMissing } from "@/lib/errors";
import { MINUTE } from "@/lib/time";

/** Milliseconds before the second attempt. */
const PAUSE = 500;
/** A page that was reloaded for a missing part is not reloaded again within this time, in milliseconds. */
const AGAIN_AFTER = 10 * MINUTE;
const RELOADED = "reloaded-for-a-missing-part";

/** How much work is under way that a reload would end. */
export const underWay = { count: 0 };

/** Loads a part, with a second attempt. Throws NetworkError if there is no connection, else PartMissing. */
export async function late<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  try {
    return await load();
  } catch (error) {
    if (!(await isReachable())) throw new NetworkError({ cause: error });
    throw new PartMissing({ cause: error });
  }
}

/** Whether the host of the page answers. */
async function isReachable(): Promise<boolean> {
  try {
    // As in a visit: the functions may have the same address for other requests.
    const headers = { Accept: "text/html" };
    return (await fetch(location.pathname, { method: "HEAD", cache: "no-store", headers })).ok;
  } catch {
    return false;
  }
}

/** Reloads the page unless that would end work or has just been tried for the same reason. Returns whether it does. */
export function reloadOnce(now: number = Date.now()): boolean {
  try {
    if (underWay.count > 0 || now - Number(sessionStorage.getItem(RELOADED) ?? 0) < AGAIN_AFTER) return false;
    sessionStorage.setItem(RELOADED, String(now));
  } catch {
    return false; // Without storage nothing would stop a second reload, and a third.
  }
  location.reload();
  return true;
}

/** Reloads a hidden page if the error is that one of its parts is missing: nobody sees the button that does. */
export function reloadUnseen(error: unknown): void {
  if (error instanceof PartMissing && document.visibilityState === "hidden") reloadOnce();
}
