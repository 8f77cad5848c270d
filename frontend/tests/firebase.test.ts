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
vi.mock("@firebase/app", () => ({ initializeApp: () => ({}), FirebaseError: class extends Error {} }));
vi.mock("@firebase/auth", () => ({
  browserLocalPersistence: {},
  browserPopupRedirectResolver: Opener,
  GoogleAuthProvider: class {},
  initializeAuth: () => ({}),
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
