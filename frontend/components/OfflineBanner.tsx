"use client";

import { WifiOff } from "lucide-react";
import { useOnline } from "@/hooks/use-environment";

export function OfflineBanner() {
  const online = useOnline();
  return (
    <div role="status" aria-live="polite" className="short:static sticky top-16 z-20">
      {!online && (
        <p className="floats-above flex items-center justify-center gap-2 bg-amber-300 px-4 py-2 text-center font-medium text-page text-sm">
          <WifiOff aria-hidden className="size-4 shrink-0" />
          You are offline. This page may be out of date and will update when you reconnect.
        </p>
      )}
    </div>
  );
}
