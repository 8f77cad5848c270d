import type { ReactNode } from "react";
import { Header } from "@/components/Header";
import { OfflineBanner } from "@/components/OfflineBanner";
import { SessionGate } from "@/components/SessionGate";
import { BELOW_HEADER } from "@/lib/erasing";

export default function DashboardLayout({ children }: { children: ReactNode }) {
  return (
    <SessionGate>
      <Header />
      <OfflineBanner />
      <div id={BELOW_HEADER} />
      <main className="mx-auto max-w-page px-3 pt-6 pb-[var(--below,7rem)] sm:px-6 sm:pt-10">{children}</main>
    </SessionGate>
  );
}
