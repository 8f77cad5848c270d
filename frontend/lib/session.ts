/**
 * Who is signed in. Firebase Auth does all of it, but its library is a fifth of what the page weighs and is needed
 * for signing in and out and once an hour. Between those its own record in the browser's storage has the token: it
 * is read here. Should it be missing, or look other than expected, the library is loaded and asked.
 */

import { settings } from "@/lib/settings";

export interface Session {
  userId: string;
  email: string | null;
}

/** Why the session is over: `revoked` by the owner or an administrator, or `signed-out` by the user. */
export type EndReason = "revoked" | "signed-out";

const RECORD = `firebase:authUser:${settings.firebase.apiKey}:[DEFAULT]`;
/** A token with less than this left is renewed first, in milliseconds. Firebase does the same. */
const RENEW_BEFORE = 5 * 60_000;

interface Stored extends Session {
  token: string;
  expiresAt: number;
}

const firebase = () => import("@/lib/firebase");

/** Null if nobody is signed in. */
export async function findSession(): Promise<Session | null> {
  const stored = readRecord();
  if (stored) return { userId: stored.userId, email: stored.email };
  const user = await (await firebase()).currentUser();
  return user && { userId: user.uid, email: user.email };
}

/**
 * An ID token for a request; `fresh` for one that Firebase makes now.
 * Throws SessionEnded, or NetworkError where Firebase cannot be reached.
 */
export async function accessToken(fresh = false): Promise<string> {
  const stored = readRecord();
  if (!fresh && stored && stored.expiresAt - Date.now() > RENEW_BEFORE) return stored.token;
  const { currentToken } = await firebase();
  if (!fresh) return currentToken(false);
  // Requests that were refused side by side share one new token.
  renewal ??= currentToken(true).finally(() => {
    renewal = null;
  });
  return renewal;
}

let renewal: Promise<string> | null = null;

let ending = false;

/** Sign out and go to the sign-in page, which tells the reason. A full load: nothing of the user stays in memory. */
export async function endSession(reason: EndReason): Promise<void> {
  if (ending) return;
  ending = true;
  try {
    await (await firebase()).signOut();
  } catch {
    // The library cannot be loaded: whoever is offline wants to be signed out all the same.
    localStorage.removeItem(RECORD);
  }
  leaveFor(reason);
}

/** Go to the sign-in page, which leads back here. */
export function leaveFor(reason?: EndReason): void {
  const parameters = new URLSearchParams();
  if (reason) parameters.set("reason", reason);
  if (reason !== "signed-out") parameters.set("next", location.pathname + location.search);
  window.location.replace(`/sign-in/?${parameters}`);
}

/** Leaves the page when the session is ended in another tab, or becomes somebody else's. */
export function watchSession(session: Session): () => void {
  const check = ({ key }: { key: string | null }) => {
    if (key !== RECORD && key !== null) return;
    const now = readRecord();
    if (localStorage.getItem(RECORD) === null) leaveFor("signed-out");
    else if (now && now.userId !== session.userId) window.location.reload();
  };
  // A page that comes back from the browser's memory has heard of nothing meanwhile.
  const comeBack = ({ persisted }: PageTransitionEvent) => persisted && check({ key: null });
  window.addEventListener("storage", check);
  window.addEventListener("pageshow", comeBack);
  return () => {
    window.removeEventListener("storage", check);
    window.removeEventListener("pageshow", comeBack);
  };
}

/** Where to go after signing in: only to a page of this origin, whatever the address asks for. */
export function safeNext(next: string | null): string {
  // Browsers skip tabs and line breaks in an address, so "/\t/" is "//", which begins another origin.
  return next && /^\/(?![/\\\s])/.test(next) ? next : "/jobs/";
}

function readRecord(): Stored | null {
  try {
    const record: unknown = JSON.parse(localStorage.getItem(RECORD) ?? "null");
    const { uid, email, stsTokenManager: tokens } = record as Record<string, unknown>;
    const { accessToken: token, expirationTime: expiresAt } = tokens as Record<string, unknown>;
    if (typeof uid !== "string" || typeof token !== "string" || typeof expiresAt !== "number") return null;
    return { userId: uid, email: typeof email === "string" ? email : null, token, expiresAt };
  } catch {
    return null;
  }
}
