/**
 * Who is signed in. Firebase Auth manages the session, but its library is a fifth of the page's weight and is needed
 * only to sign in and to renew the token once an hour. At other times this module reads the token from the record that
 * Firebase keeps in the browser's storage. If the record is missing or has an unexpected form, the library is loaded and
 * asked. The session ends when the record is removed.
 */

import { late } from "@/lib/late";
import { serverNow } from "@/lib/server-time";
import { settings } from "@/lib/settings";
import { forgetTelling } from "@/lib/telling";

export interface Session {
  userId: string;
  email: string | null;
}

/**
 * Why there is no session: it was `revoked` by the owner or an administrator, the user has `signed-out`, or the browser
 * has not kept it (`not-kept`).
 */
type EndReason = "revoked" | "signed-out" | "not-kept";

export const RECORD = `firebase:authUser:${settings.firebase.apiKey}:[DEFAULT]`;
/** The record while a user signs out, before it is removed. Whoever reads it finds nobody. */
const SIGNED_OUT = "null";
/** A token is renewed this long before it expires, in milliseconds. Firebase does the same. */
export const RENEW_BEFORE = 5 * 60_000;

interface Stored extends Session {
  token: string;
  expiresAt: number;
}

/** Loads the library. Throws NetworkError or PartMissing. */
export const loadFirebase = () => late(() => import("@/lib/firebase"));

/** Returns the current session, or null if nobody is signed in. */
export async function findSession(): Promise<Session | null> {
  const stored = readRecord();
  if (stored) return { userId: stored.userId, email: stored.email };
  const user = await (await loadFirebase()).currentUser();
  return user && { userId: user.uid, email: user.email };
}

/**
 * Returns an ID token for a request; with `fresh`, a new one from Firebase.
 * Throws SessionEnded, or NetworkError if Firebase cannot be reached.
 */
export async function accessToken(fresh = false): Promise<string> {
  const stored = readRecord();
  if (!fresh && stored && stored.expiresAt - Date.now() > RENEW_BEFORE) return stored.token;
  const { currentToken } = await loadFirebase();
  if (!fresh) return currentToken(false);
  // Requests that are refused at the same time share one new token.
  renewal ??= currentToken(true).finally(() => {
    renewal = null;
  });
  return renewal;
}

let renewal: Promise<string> | null = null;

/** The longest that the removal of saved videos keeps the user on the page, in milliseconds. */
const LONGEST_REMOVAL = 1_000;

let ending = false;

/**
 * Signs out, at once and also without a connection, removes the videos that the page has left in the browser, and goes to
 * the sign-in page, which shows the reason. A full page load clears the user's data from memory.
 */
export async function endSession(reason: EndReason): Promise<void> {
  if (ending) return;
  ending = true;
  hidePage();
  forgetSession(reason);
  const removal = import("@/lib/zip-file").then(({ forgetZips }) => forgetZips(0));
  const over = new Promise((resolve) => setTimeout(resolve, LONGEST_REMOVAL));
  await Promise.race([removal.catch(() => undefined), over]);
  leaveFor(reason);
}

function forgetSession(reason: EndReason): void {
  const forgottenAt = serverNow();
  const forget = () => {
    // Other tabs see this too. Firebase only removes the record, when it finds that the session was revoked.
    if (reason === "signed-out") localStorage.setItem(RECORD, SIGNED_OUT);
    localStorage.removeItem(RECORD);
  };
  forget();
  forgetTelling();
  // Until the page is left, Firebase writes the record back when it has started or renewed the token. A record of a
  // later sign-in, in another tab, is not of this session.
  window.addEventListener("pagehide", () => {
    const record = JSON.parse(localStorage.getItem(RECORD) ?? "null");
    if (!(Number(record?.lastLoginAt) > forgottenAt)) forget();
  });
}

/** The end of the address to which sign-in leads. A page that has it and finds no session knows why. */
export const FROM_SIGN_IN = "#signed-in";

/** Sends a user without a session to sign in, and says so if that has just been done in vain. */
export function askToSignIn(): void {
  leaveFor(location.hash === FROM_SIGN_IN ? "not-kept" : undefined);
}

/** Removes that end from the address. */
export function noteSession(): void {
  if (location.hash === FROM_SIGN_IN) {
    history.replaceState(history.state, "", location.pathname + location.search);
  }
}

/** Shows nothing more of the user's. A page that the browser brings back from its cache starts anew. */
function hidePage(): void {
  document.documentElement.hidden = true;
  window.addEventListener("pageshow", ({ persisted }) => persisted && window.location.reload());
}

/** Goes to the sign-in page, which leads back here unless the user signed out. */
function leaveFor(reason?: EndReason): void {
  hidePage();
  const parameters = new URLSearchParams();
  if (reason) parameters.set("reason", reason);
  if (reason !== "signed-out") parameters.set("next", location.pathname + location.search);
  window.location.replace(`/sign-in/?${parameters}`);
}

/**
 * Leaves the page when the session ends in another tab, as that one does; reloads it when another user signs in. Returns a
 * function that stops this.
 */
export function watchSession(session: Session): () => void {
  const check = ({ key, newValue }: { key: string | null; newValue?: string | null }) => {
    if (key !== RECORD && key !== null) return;
    const now = readRecord();
    // Where it is unknown how the session ended, the user may have signed out: the address is for nobody else.
    if ((localStorage.getItem(RECORD) ?? SIGNED_OUT) === SIGNED_OUT)
      void endSession(key && newValue === null ? "revoked" : "signed-out");
    else if (now && now.userId !== session.userId) window.location.reload();
  };
  // A page restored from the back/forward cache has missed all events in the meantime.
  const comeBack = ({ persisted }: PageTransitionEvent) => persisted && check({ key: null });
  window.addEventListener("storage", check);
  window.addEventListener("pageshow", comeBack);
  return () => {
    window.removeEventListener("storage", check);
    window.removeEventListener("pageshow", comeBack);
  };
}

/** Returns what is stored about the current session; null if there is none or its record has an unexpected form. */
export function readRecord(): Stored | null {
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
