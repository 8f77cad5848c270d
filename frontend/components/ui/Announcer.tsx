interface Announcement {
  text: string;
  /** Tells apart two announcements of the same text. */
  number: number;
}

/** Announces changes to screen readers, which tell what is new in it. */
export function Announcer({ announcement: { text, number } }: { announcement: Announcement }) {
  return (
    <p role="status" aria-live="polite" className="sr-only" data-testid="announcer">
      <span key={number}>{text}</span>
    </p>
  );
}
