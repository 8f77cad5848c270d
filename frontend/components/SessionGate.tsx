"use client";

import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { Button } from "@/components/ui/Button";
import { Notice } from "@/components/ui/Notice";
import { messageOf, PartMissing } from "@/lib/errors";
import { reloadOnce } from "@/lib/late";
import { untilItAsks } from "@/lib/polling";
import { askToSignIn, findSession, noteSession, type Session, watchSession } from "@/lib/session";

const SessionContext = createContext<Session | null>(null);

/** Returns the session of the signed-in user, or null while it is being loaded. */
export function useSession(): Session | null {
  return useContext(SessionContext);
}

/**
 * Gives the session to its children, or sends a user who is not signed in to the sign-in page. In a page that is opened
 * while hidden, this comes when it is shown, and so does all that the session's user asks, unless they want to be told.
 */
export function SessionGate({ children }: { children: ReactNode }) {
  const [session, setSession] = useState<Session | null>(null);
  const [error, setError] = useState<unknown>(null);

  useEffect(() => {
    const enter = (found: Session | null) => {
      if (!found) return askToSignIn();
      noteSession();
      setSession(found);
    };
    untilItAsks()
      .then(findSession)
      .then(enter, (failure) => {
        if (!(failure instanceof PartMissing && reloadOnce())) setError(failure);
      });
  }, []);
  useEffect(() => (session ? watchSession(session) : undefined), [session]);

  if (error) {
    return (
      <main role="alert" className="mx-auto max-w-lg p-6">
        <Notice title="You could not be signed in" heading="h1">
          <p>{messageOf(error)}</p>
          <Button onClick={() => window.location.reload()}>Try again</Button>
        </Notice>
      </main>
    );
  }
  return <SessionContext value={session}>{children}</SessionContext>;
}
