/** Announces changes to screen readers. */
export function Announcer({ text }: { text: string }) {
  return (
    <p role="status" aria-live="polite" className="sr-only" data-testid="announcer">
      {text}
    </p>
  );
}
