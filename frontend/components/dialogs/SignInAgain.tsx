import { type FormEvent, useEffect, useEffectEvent, useState } from "react";
import { Button } from "@/components/ui/Button";
import { PasswordField } from "@/components/ui/PasswordField";
import { useShown } from "@/hooks/use-shown";
import { messageOf, SessionEnded } from "@/lib/errors";
import type { Means } from "@/lib/firebase";
import { endSession, loadFirebase } from "@/lib/session";

type Firebase = Awaited<ReturnType<typeof loadFirebase>>;

/**
 * Lets the signed-in user sign in again, by the means with which the account is used. A sign-in that succeeds after this is
 * no longer shown calls nothing: the user has decided otherwise.
 */
export function SignInAgain({ onSignedIn }: { onSignedIn: () => void }) {
  const [ready, setReady] = useState<{ firebase: Firebase; means: Means } | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const fail = (error: unknown, explain: (error: unknown) => string | null) => {
    if (error instanceof SessionEnded) void endSession("revoked");
    else setProblem(explain(error));
  };
  const prepare = useEffectEvent(async () => {
    try {
      const firebase = await loadFirebase();
      const means = await firebase.meansOfSignIn();
      // Between the click and the opening of Google's window no script may load, or the browser blocks the window.
      if (means.google) firebase.prepareGoogle();
      setReady({ firebase, means });
    } catch (error) {
      fail(error, messageOf);
    }
  });
  useEffect(() => void prepare(), []);
  const isShown = useShown();

  const attempt = async (act: (firebase: Firebase) => Promise<void>) => {
    if (!ready || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await act(ready.firebase);
      if (isShown.current) onSignedIn();
    } catch (error) {
      fail(error, ready.firebase.signInProblem);
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get("password"));
    void attempt((firebase) => firebase.signInAgain(password));
  };
  return (
    <div className="mt-4 flex flex-col gap-3">
      {ready?.means.password && (
        <form onSubmit={submit} className="flex flex-col gap-3">
          {/* For password managers. */}
          <input type="email" autoComplete="username" value={ready.means.email ?? ""} readOnly hidden />
          <PasswordField invalid={problem !== null} />
          <Button look="primary" type="submit" busy={busy} className="self-start">
            {busy ? "One moment…" : "Sign in and erase everything"}
          </Button>
        </form>
      )}
      {ready?.means.google && (
        <Button
          busy={busy}
          onClick={() => attempt((firebase) => firebase.signInAgainWithGoogle())}
          className="self-start"
        >
          Continue with Google and erase everything
        </Button>
      )}
      {ready && !ready.means.password && !ready.means.google && (
        <p className="text-sm">Please sign out, sign in again, and then erase everything.</p>
      )}
      <p role="alert" className="text-red-300 text-sm empty:hidden">
        {problem}
      </p>
    </div>
  );
}
