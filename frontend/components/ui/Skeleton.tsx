/** Placeholder for something that is still loading. What holds them pulses: each on its own would be a layer to draw. */
export function Skeleton({ className = "" }: { className?: string }) {
  return (
    <span
      aria-hidden
      data-testid="skeleton"
      className={`block rounded-md border border-transparent bg-line/70 ${className}`}
    />
  );
}
