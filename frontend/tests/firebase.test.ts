import { FirebaseError } from "@firebase/app";
import { expect, test, vi } from "vitest";

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
  GoogleAuthProvider: class {},
  initializeAuth: () => ({}),
  sendPasswordResetEmail,
  signInWithPopup,
}));

test("signing in with Google after the preparation loads no script, which would have the window blocked", async () => {
  const { prepareGoogle, signInWithGoogle } = await import("@/lib/firebase");
  expect(made.scripts).toBe(0);
  prepareGoogle();
  expect(made.scripts).toBe(1);
  await signInWithGoogle();
  expect(signInWithPopup).toHaveBeenCalledOnce();
  expect(made.scripts).toBe(1);
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
