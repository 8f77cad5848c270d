"use client";

import { type FormEvent, useEffect, useState } from "react";
import { Button } from "@/components/ui/Button";
import { messageOf, NothingKept } from "@/lib/errors";
import { keepsData, loadFirebase } from "@/lib/session";
import { settings } from "@/lib/settings";

type Firebase = Awaited<ReturnType<typeof loadFirebase>>;

const FIELD =
  "h-11 w-full rounded-lg border border-line bg-page px-3 text-base placeholder:text-muted aria-invalid:border-red-400";

/** Signs in with e-mail and password, or with Google if the deployment supports it. */
export function SignInForm({ onSignedIn }: { onSignedIn: () => void }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  // Between the click and the opening of Google's window no script may load, or the browser blocks the window.
  useEffect(() => {
    if (settings.firebase.authDomain)
      loadFirebase().then(
        ({ prepareGoogle }) => prepareGoogle(),
        () => undefined,
      );
  }, []);

  const attempt = async (signIn: (firebase: Firebase) => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    let firebase: Firebase | undefined;
    try {
      if (!keepsData()) throw new NothingKept();
      firebase = await loadFirebase();
      await signIn(firebase);
      return onSignedIn();
    } catch (error) {
      setProblem(firebase ? firebase.signInProblem(error) : messageOf(error));
    }
    setBusy(false);
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    void attempt((firebase) => firebase.signIn(String(fields.get("email")), String(fields.get("password"))));
  };

  return (
    <div className="flex flex-col gap-4 rounded-2xl border border-line bg-surface p-5 sm:p-6">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <label className="flex flex-col gap-1.5 font-medium text-sm">
          E-mail address
          <input
            className={FIELD}
            name="email"
            type="email"
            autoComplete="username"
            required
            aria-invalid={problem !== null}
          />
        </label>
        <label className="flex flex-col gap-1.5 font-medium text-sm">
          Password
          <input
            className={FIELD}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            aria-invalid={problem !== null}
          />
        </label>
        <p role="alert" className="text-red-300 text-sm empty:hidden">
          {problem}
        </p>
        <Button look="primary" type="submit" busy={busy} className="min-h-11!">
          {busy ? "Signing in…" : "Sign in"}
        </Button>
      </form>
      {settings.firebase.authDomain && (
        <Button
          busy={busy}
          onClick={() => attempt((firebase) => firebase.signInWithGoogle())}
          className="min-h-11!"
        >
          Continue with Google
        </Button>
      )}
    </div>
  );
}
