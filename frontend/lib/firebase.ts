/** Firebase Auth. Loaded only when needed; lib/session.ts explains when. */

import { FirebaseError, initializeApp } from "@firebase/app";
import {
  type Auth,
  browserLocalPersistence,
  browserPopupRedirectResolver,
  connectAuthEmulator,
  EmailAuthProvider,
  GoogleAuthProvider,
  initializeAuth,
  type PopupRedirectResolver,
  reauthenticateWithCredential,
  reauthenticateWithPopup,
  sendPasswordResetEmail,
  signInWithEmailAndPassword,
  signInWithPopup,
  type User,
} from "@firebase/auth";
import { NetworkError, SessionEnded } from "@/lib/errors";
import { settings } from "@/lib/settings";

const auth = initializeAuth(initializeApp(settings.firebase), { persistence: browserLocalPersistence });
if (settings.authEmulator) {
  const { origin } = new URL(settings.authEmulator, window.location.origin);
  connectAuthEmulator(auth, origin, { disableWarnings: true });
}

/** Returns the signed-in user, or null. */
export async function currentUser(): Promise<User | null> {
  await auth.authStateReady();
  return auth.currentUser;
}

/** Firebase's error codes for a session that it will not renew. Any other error may be temporary. */
const ENDED = [
  "auth/user-token-expired",
  "auth/user-disabled",
  "auth/user-not-found",
  "auth/invalid-user-token",
  "auth/invalid-refresh-token",
];

/**
 * Returns an ID token with a few minutes left, or a new one if `fresh`.
 * Throws SessionEnded if there is no session or Firebase refuses to renew it, and NetworkError if Firebase cannot
 * be reached.
 */
export async function currentToken(fresh: boolean): Promise<string> {
  await auth.authStateReady();
  try {
    const token = await auth.currentUser?.getIdToken(fresh);
    if (token) return token;
  } catch (error) {
    if (!ENDED.includes(codeOf(error) ?? "")) throw new NetworkError({ cause: error });
    throw new SessionEnded("Firebase refused to renew the session", { cause: error });
  }
  throw new SessionEnded("Nobody is signed in");
}

export async function signIn(email: string, password: string): Promise<void> {
  await signInWithEmailAndPassword(auth, email, password);
}

interface PopupOpener {
  _initialize: (auth: Auth) => Promise<unknown>;
}
const PopupOpenerClass = browserPopupRedirectResolver as unknown as new () => PopupOpener;
const prepared = new PopupOpenerClass();
/** Firebase makes its own instance of the class that it is given. This one shares what has been prepared. */
class PreparedPopupOpener extends PopupOpenerClass {
  constructor() {
    super();
    Object.assign(this, prepared);
  }
}

/**
 * Loads Google's script, without which `signInWithGoogle` cannot open a window. Firebase itself loads it only after the
 * click, except in Safari and on phones; by then, browsers may block the window. If this fails, Firebase does so.
 */
export function prepareGoogle(): void {
  prepared._initialize(auth).catch(() => undefined);
}

export async function signInWithGoogle(): Promise<void> {
  const opener = PreparedPopupOpener as unknown as PopupRedirectResolver;
  await signInWithPopup(auth, new GoogleAuthProvider(), opener);
}

/** With what the user can sign in again. */
export interface Means {
  email: string | null;
  password: boolean;
  google: boolean;
}

/** Throws SessionEnded if nobody is signed in. */
export async function meansOfSignIn(): Promise<Means> {
  const { email, providerData } = await signedIn();
  const ids = providerData.map((one) => one.providerId);
  return {
    email,
    password: ids.includes("password"),
    google: ids.includes("google.com") && settings.firebase.authDomain !== undefined,
  };
}

/** Signs the current user in again, so that the next token tells of a recent sign-in. */
export async function signInAgain(password: string): Promise<void> {
  const user = await signedIn();
  await reauthenticateWithCredential(user, EmailAuthProvider.credential(user.email ?? "", password));
}

/** Does the same with Google. Call `prepareGoogle` and `meansOfSignIn` before, or the browser blocks the window. */
export async function signInAgainWithGoogle(): Promise<void> {
  const opener = PreparedPopupOpener as unknown as PopupRedirectResolver;
  await reauthenticateWithPopup(await signedIn(), new GoogleAuthProvider(), opener);
}

async function signedIn(): Promise<User> {
  const user = await currentUser();
  if (!user) throw new SessionEnded("Nobody is signed in");
  return user;
}

/** Sends an e-mail with a link for a new password, if the address has an account. Nobody learns whether it has one. */
export async function sendPasswordReset(email: string): Promise<void> {
  try {
    await sendPasswordResetEmail(auth, email);
  } catch (error) {
    if (codeOf(error) !== "auth/user-not-found") throw error;
  }
}

/** Returns a sentence for the user about an error of `sendPasswordReset`. */
export function resetProblem(error: unknown): string | null {
  switch (codeOf(error)) {
    case "auth/invalid-email":
    case "auth/missing-email":
      return "This is not an e-mail address.";
    case "auth/too-many-requests":
    case "auth/network-request-failed":
      return signInProblem(error);
    default:
      return "The e-mail could not be sent. Please try again.";
  }
}

/** Returns a sentence for the user, or null if the user closed Google's window. */
export function signInProblem(error: unknown): string | null {
  switch (codeOf(error)) {
    case "auth/invalid-credential":
    case "auth/invalid-email":
    case "auth/user-not-found":
    case "auth/wrong-password":
      return "The e-mail address or the password is wrong.";
    case "auth/user-disabled":
      return "This account has been disabled.";
    case "auth/too-many-requests":
      return "Too many attempts. Please wait a few minutes and try again.";
    case "auth/network-request-failed":
      return "The sign-in service cannot be reached. Check your connection and try again.";
    case "auth/user-mismatch":
      return "That is another account. Please sign in as the one that is signed in here.";
    case "auth/popup-blocked":
      return "The browser blocked Google's window. Allow pop-ups for this page and try again.";
    case "auth/popup-closed-by-user":
    case "auth/cancelled-popup-request":
      return null;
    default:
      return "Sign-in failed. Please try again.";
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof FirebaseError ? error.code : null;
}
