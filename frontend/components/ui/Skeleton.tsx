import type { ReactNode } from "react";

const PULSE = "animate-pulse";

/** Placeholder for something that is still loading. It belongs into a Pulsing; one that is alone `pulses` by itself. */
export function Skeleton({ className = "", pulses = false }: { className?: string; pulses?: boolean }) {
  return (
    <span
      aria-hidden
      data-testid="skeleton"
      className={`block rounded-md border border-transparent bg-line/70 ${pulses ? PULSE : ""} ${className}`}
    />
  );
}

/** Holds placeholders, which pulse together: each on its own would be a layer to draw. */
export function Pulsing({ className, children }: { className: string; children: ReactNode }) {
  return <div className={`${PULSE} ${className}`}>{children}</div>;
}
