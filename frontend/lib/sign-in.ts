/** What the sign-in page needs besides Firebase. */

import { FROM_SIGN_IN } from "@/lib/session";

/** Says that the browser stores nothing for this page. */
export const NOTHING_KEPT =
  "The browser does not let this page keep you signed in. Allow the page to store data (cookies and site data) and try again.";

/** Whether the browser stores anything for this page. Some do not, such as those that block all cookies. */
export function keepsData(): boolean {
  try {
    localStorage.setItem("test", "kept");
    const kept = localStorage.getItem("test") === "kept";
    localStorage.removeItem("test");
    return kept;
  } catch {
    return false;
  }
}

/** Opens the page to which the user wanted to go before signing in. */
export function enter(next: string | null): void {
  window.location.replace(safeNext(next) + FROM_SIGN_IN);
}

/** Returns the address to go to after signing in: `next` if it is a path on this origin, else the Jobs page. */
export function safeNext(next: string | null): string {
  // Browsers ignore tabs and line breaks in an address, so "/\t/" means "//", which leads to another origin.
  return next && /^\/(?![/\\\s])/.test(next) ? next : "/jobs/";
}
