/** Firebase Auth. Loaded when it is needed: lib/session.ts tells when. */

import { FirebaseError, initializeApp } from "@firebase/app";
import {
  browserLocalPersistence,
  browserPopupRedirectResolver,
  connectAuthEmulator,
  GoogleAuthProvider,
  initializeAuth,
  signInWithEmailAndPassword,
  signInWithPopup,
  signOut as signOutOfFirebase,
  type User,
} from "@firebase/auth";
import { NetworkError, SessionEnded } from "@/lib/errors";
import { settings } from "@/lib/settings";

const auth = initializeAuth(initializeApp(settings.firebase), { persistence: browserLocalPersistence });
if (settings.authEmulator) {
  const { origin } = new URL(settings.authEmulator, window.location.origin);
  connectAuthEmulator(auth, origin, { disableWarnings: true });
}

/** The signed-in user; null if there is none. */
export async function currentUser(): Promise<User | null> {
  await auth.authStateReady();
  return auth.currentUser;
}

/** What Firebase says of a session that it does not renew; whatever else goes wrong may work the next time. */
const ENDED = [
  "auth/user-token-expired",
  "auth/user-disabled",
  "auth/user-not-found",
  "auth/invalid-user-token",
  "auth/invalid-refresh-token",
];

/**
 * A token with some minutes left; `fresh` for one that is made now.
 * Throws SessionEnded if there is no session, or Firebase does not renew it; NetworkError if it cannot say.
 */
export async function currentToken(fresh: boolean): Promise<string> {
  await auth.authStateReady();
  try {
    const token = await auth.currentUser?.getIdToken(fresh);
    if (token) return token;
  } catch (error) {
    if (!ENDED.includes(codeOf(error) ?? "")) throw new NetworkError({ cause: error });
    throw new SessionEnded("Firebase does not renew the session", { cause: error });
  }
  throw new SessionEnded("Nobody is signed in");
}

export async function signIn(email: string, password: string): Promise<void> {
  await signInWithEmailAndPassword(auth, email, password);
}

export async function signInWithGoogle(): Promise<void> {
  await signInWithPopup(auth, new GoogleAuthProvider(), browserPopupRedirectResolver);
}

export async function signOut(): Promise<void> {
  await signOutOfFirebase(auth);
}

/** A sentence for the user; null where there is nothing to say, as the user closed the window. */
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
      return "There were too many attempts. Please wait some minutes and try again.";
    case "auth/network-request-failed":
      return "The sign-in service cannot be reached. Check your connection and try again.";
    case "auth/popup-blocked":
      return "The browser blocked Google's window. Allow pop-ups for this page and try again.";
    case "auth/popup-closed-by-user":
    case "auth/cancelled-popup-request":
      return null;
    default:
      return "Signing in did not work. Please try again.";
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof FirebaseError ? error.code : null;
}
