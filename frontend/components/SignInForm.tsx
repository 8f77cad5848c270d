"use client";

import { type FormEvent, useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/Button";
import { FIELD, PasswordField } from "@/components/ui/PasswordField";
import { messageOf } from "@/lib/errors";
import { loadFirebase } from "@/lib/session";
import { settings } from "@/lib/settings";
import { keepsData, NOTHING_KEPT } from "@/lib/sign-in";

type Firebase = Awaited<ReturnType<typeof loadFirebase>>;

/** Signs in with e-mail and password, or with Google if the deployment supports it. */
export function SignInForm({ onSignedIn }: { onSignedIn: () => void }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [sentTo, setSentTo] = useState<string | null>(null);
  const email = useRef<HTMLInputElement>(null);
  // Between the click and the opening of Google's window no script may load, or the browser blocks the window.
  useEffect(() => {
    if (settings.firebase.authDomain)
      loadFirebase().then(
        ({ prepareGoogle }) => prepareGoogle(),
        () => undefined,
      );
  }, []);

  /** Returns whether it worked. If not, the form says why. */
  const attempt = async (
    act: (firebase: Firebase) => Promise<void>,
    explain: (firebase: Firebase, error: unknown) => string | null,
  ): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    setSentTo(null);
    let firebase: Firebase | undefined;
    try {
      firebase = await loadFirebase();
      await act(firebase);
      return true;
    } catch (error) {
      setProblem(firebase ? explain(firebase, error) : messageOf(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  const signIn = async (act: (firebase: Firebase) => Promise<void>) => {
    if (!keepsData()) return setProblem(NOTHING_KEPT);
    if (await attempt(act, (firebase, error) => firebase.signInProblem(error))) onSignedIn();
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    void signIn((firebase) => firebase.signIn(String(fields.get("email")), String(fields.get("password"))));
  };
  const reset = async () => {
    const address = email.current?.value.trim() ?? "";
    // The browser says what is wrong with the address.
    if (!email.current?.reportValidity()) return;
    const sent = await attempt(
      (firebase) => firebase.sendPasswordReset(address),
      (firebase, error) => firebase.resetProblem(error),
    );
    if (sent) setSentTo(address);
  };

  return (
    <div className="flex flex-col gap-4 rounded-2xl border border-line bg-surface p-5 sm:p-6">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <label className="flex flex-col gap-1.5 font-medium text-sm">
          E-mail address
          <input
            ref={email}
            className={FIELD}
            name="email"
            type="email"
            autoComplete="username"
            required
            aria-invalid={problem !== null}
          />
        </label>
        <PasswordField invalid={problem !== null} />
        <p role="alert" className="text-red-300 text-sm empty:hidden">
          {problem}
        </p>
        <p role="status" className="wrap-anywhere text-sm empty:hidden">
          {sentTo &&
            `If there is an account for ${sentTo}, an e-mail with a link for a new password is on its way.`}
        </p>
        <Button look="primary" type="submit" busy={busy} className="min-h-11!">
          {busy ? "One moment…" : "Sign in"}
        </Button>
      </form>
      {settings.firebase.authDomain && (
        <Button
          busy={busy}
          onClick={() => signIn((firebase) => firebase.signInWithGoogle())}
          className="min-h-11!"
        >
          Continue with Google
        </Button>
      )}
      <button
        type="button"
        aria-disabled={busy}
        onClick={() => busy || void reset()}
        className="min-h-11 self-center px-2 text-muted text-sm underline underline-offset-4 hover:text-ink sm:min-h-8"
      >
        Forgot your password?
      </button>
    </div>
  );
}
