"use client";

import { Button } from "@/components/ui/Button";
import { Notice } from "@/components/ui/Notice";

export default function ErrorPage() {
  return (
    <main className="mx-auto grid min-h-dvh max-w-lg place-items-center p-6">
      <Notice title="Something went wrong on this page" heading="h1">
        <p>Your jobs are safe. Reloading the page usually helps.</p>
        <Button onClick={() => window.location.reload()}>Reload</Button>
      </Notice>
    </main>
  );
}
