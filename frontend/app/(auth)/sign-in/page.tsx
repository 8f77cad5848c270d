"use client";

import { useSearchParams } from "next/navigation";
import { Suspense, useEffect, useEffectEvent } from "react";
import { Logo } from "@/components/Header";
import { SignInForm } from "@/components/SignInForm";
import { findSession, type Session } from "@/lib/session";
import { enter } from "@/lib/sign-in";

const REASONS = new Map(
  Object.entries({
    revoked: "Your session has ended, perhaps because your password was changed. Please sign in again.",
    "signed-out": "You are signed out.",
    "not-kept":
      "Your browser does not keep you signed in on this page. Allow the page to store data (cookies and site data), or use another browser, and sign in again.",
  }),
);

export default function SignInPage() {
  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center gap-6 p-5">
      <div className="flex flex-col items-center gap-3 text-center">
        <Logo />
        <h1 className="font-semibold text-2xl tracking-tight">Sign in to NuuMee</h1>
      </div>
      <Suspense>
        <SignIn />
      </Suspense>
    </main>
  );
}

function SignIn() {
  const parameters = useSearchParams();
  const go = () => enter(parameters.get("next"));
  const proceed = useEffectEvent((session: Session | null) => session && go());
  // A user who is already signed in is sent on.
  useEffect(() => void findSession().then(proceed, () => undefined), []);
  const reason = REASONS.get(parameters.get("reason") ?? "");
  return (
    <>
      {reason && (
        <p
          role="status"
          className="rounded-lg border border-amber-400/30 bg-amber-400/10 px-4 py-3 text-amber-200 text-sm"
        >
          {reason}
        </p>
      )}
      <SignInForm onSignedIn={go} />
    </>
  );
}
