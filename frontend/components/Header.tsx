"use client";

import { AccountButton } from "@/components/AccountButton";
import { useSession } from "@/components/SessionGate";

export function Header() {
  const session = useSession();
  return (
    <header className="short:static sticky top-0 z-20 border-line border-b bg-page">
      <div className="mx-auto flex h-16 max-w-page items-center gap-4 px-3 sm:px-6">
        <a href="/jobs/" className="flex items-center gap-2 font-semibold text-lg tracking-tight">
          <Logo />
          NuuMee
        </a>
        {session && <AccountButton session={session} />}
      </div>
    </header>
  );
}

export function Logo() {
  return (
    <svg viewBox="0 0 32 32" className="size-7" aria-hidden="true">
      <rect width="32" height="32" rx="8" className="fill-surface" />
      <path d="M12 9.5v13l11-6.5z" className="fill-accent" />
    </svg>
  );
}
