/** Placeholder for something that is still loading. */
export function Skeleton({ className = "" }: { className?: string }) {
  return (
    <span
      aria-hidden
      className={`block animate-pulse rounded-md border border-transparent bg-line/70 ${className}`}
    />
  );
}
