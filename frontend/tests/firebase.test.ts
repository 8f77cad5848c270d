import { FirebaseError } from "@firebase/app";
import { afterEach, expect, test, vi } from "vitest";
import { NetworkError, SessionEnded } from "@/lib/errors";

const made = vi.hoisted(() => ({ scripts: 0 }));
/** As in Firebase: an opener loads Google's script unless its instance, or what it shares, already has it. */
const Opener = vi.hoisted(
  () =>
    class {
      managers: Record<string, unknown> = {};
      async _initialize(_auth: unknown) {
        this.managers.default ??= ++made.scripts;
      }
    },
);
type Opener = InstanceType<typeof Opener>;
const signInWithPopup = vi.hoisted(() =>
  vi.fn(async (auth: unknown, _provider: unknown, given: new () => Opener) => new given()._initialize(auth)),
);
const sendPasswordResetEmail = vi.hoisted(() => vi.fn<(auth: unknown, email: string) => Promise<void>>());
const reauthenticateWithCredential = vi.hoisted(() => vi.fn<(user: unknown, credential: unknown) => void>());
const reauthenticateWithPopup = vi.hoisted(() =>
  vi.fn(async (_user: unknown, _provider: unknown, given: new () => Opener) => new given()._initialize({})),
);
const auth = vi.hoisted(() => ({ authStateReady: async () => undefined, currentUser: null as unknown }));
const settings = vi.hoisted(() => ({ firebase: {} as { authDomain?: string } }));
vi.mock("@/lib/settings", () => ({ settings }));
vi.mock("@firebase/app", () => ({
  initializeApp: () => ({}),
  FirebaseError: class extends Error {
    constructor(readonly code: string) {
      super(code);
    }
  },
}));
vi.mock("@firebase/auth", () => ({
  browserLocalPersistence: {},
  browserPopupRedirectResolver: Opener,
  EmailAuthProvider: { credential: (email: string, password: string) => ({ email, password }) },
  GoogleAuthProvider: class {},
  initializeAuth: () => auth,
  reauthenticateWithCredential,
  reauthenticateWithPopup,
  sendPasswordResetEmail,
  signInWithPopup,
}));

afterEach(() => {
  vi.unstubAllGlobals();
  auth.currentUser = null;
});

test("signing in with Google after the preparation loads no script, which would have the window blocked", async () => {
  const { prepareGoogle, signInWithGoogle } = await import("@/lib/firebase");
  expect(made.scripts).toBe(0);
  prepareGoogle();
  expect(made.scripts).toBe(1);
  await signInWithGoogle();
  expect(signInWithPopup).toHaveBeenCalledOnce();
  expect(made.scripts).toBe(1);
});

const ann = (...providers: string[]) => ({
  email: "ann@nuumee.test",
  providerData: providers.map((providerId) => ({ providerId })),
});

test.each([
  [["password"], undefined, { password: true, google: false }],
  [["google.com"], "nuumee.test", { password: false, google: true }],
  [["google.com"], undefined, { password: false, google: false }],
  [["password", "google.com"], "nuumee.test", { password: true, google: true }],
  [["phone"], "nuumee.test", { password: false, google: false }],
])("a user of %j signs in again, with the authDomain %s, by %j", async (providers, authDomain, means) => {
  const { meansOfSignIn } = await import("@/lib/firebase");
  auth.currentUser = ann(...providers);
  settings.firebase = authDomain ? { authDomain } : {};
  expect(await meansOfSignIn()).toEqual({ email: "ann@nuumee.test", ...means });
});

test("signing in again is for the signed-in user alone, and loads no script for Google", async () => {
  const firebase = await import("@/lib/firebase");
  auth.currentUser = ann("password", "google.com");
  await firebase.signInAgain("secret");
  const credential = { email: "ann@nuumee.test", password: "secret" };
  expect(reauthenticateWithCredential).toHaveBeenCalledWith(auth.currentUser, credential);
  firebase.prepareGoogle();
  const { scripts } = made;
  await firebase.signInAgainWithGoogle();
  expect(reauthenticateWithPopup.mock.calls[0]?.[0]).toBe(auth.currentUser);
  expect(made.scripts).toBe(scripts);
  const other = new FirebaseError("auth/user-mismatch", "");
  expect(firebase.signInProblem(other)).toContain("another account");
});

test("nobody can sign in again after signing out elsewhere", async () => {
  const { meansOfSignIn, signInAgain } = await import("@/lib/firebase");
  await expect(meansOfSignIn()).rejects.toThrow(SessionEnded);
  await expect(signInAgain("secret")).rejects.toThrow(SessionEnded);
});

test("asking for a new password never tells whether there is an account", async () => {
  const { sendPasswordReset } = await import("@/lib/firebase");
  sendPasswordResetEmail.mockResolvedValueOnce();
  expect(await sendPasswordReset("ann@nuumee.test")).toBeUndefined();
  sendPasswordResetEmail.mockRejectedValueOnce(new FirebaseError("auth/user-not-found", ""));
  expect(await sendPasswordReset("nobody@nuumee.test")).toBeUndefined();
});

test.each([
  ["auth/invalid-email", "This is not an e-mail address."],
  ["auth/too-many-requests", "Too many attempts. Please wait a few minutes and try again."],
  [
    "auth/network-request-failed",
    "The sign-in service cannot be reached. Check your connection and try again.",
  ],
  ["auth/internal-error", "The e-mail could not be sent. Please try again."],
])(
  "if no e-mail for a new password can be sent because of %s, the user reads: %s",
  async (code, sentence) => {
    const { resetProblem, sendPasswordReset } = await import("@/lib/firebase");
    sendPasswordResetEmail.mockRejectedValueOnce(new FirebaseError(code, ""));
    const error = await sendPasswordReset("ann@nuumee.test").catch((caught: unknown) => caught);
    expect(resetProblem(error)).toBe(sentence);
  },
);

test.each([
  ["user-token-expired", SessionEnded],
  ["user-disabled", SessionEnded],
  ["user-not-found", SessionEnded],
  ["invalid-refresh-token", SessionEnded],
  ["invalid-user-token", SessionEnded],
  ["network-request-failed", NetworkError],
  ["internal-error", NetworkError],
])("a token that is not renewed because of auth/%s means: %o", async (code, kind) => {
  const { currentToken } = await import("@/lib/firebase");
  const getIdToken = vi.fn<(fresh: boolean) => Promise<string>>();
  auth.currentUser = { getIdToken };
  getIdToken.mockRejectedValue(new FirebaseError(`auth/${code}`, ""));
  for (const fresh of [false, true]) {
    await expect(currentToken(fresh)).rejects.toBeInstanceOf(kind);
    expect(getIdToken).toHaveBeenLastCalledWith(fresh);
  }
});
