import type { ReactNode } from "react";

interface Props {
  title: string;
  heading?: "h1" | "h2";
  icon?: ReactNode;
  children?: ReactNode;
}

/** Fills the page when there is nothing else to show, and says why. */
export function Notice({ title, heading: Heading = "h2", icon, children }: Props) {
  return (
    <div className="flex flex-col items-center gap-4 rounded-2xl border border-line bg-surface/50 px-6 py-14 text-center">
      {icon && (
        <span aria-hidden className="grid size-14 place-items-center rounded-full bg-surface text-muted">
          {icon}
        </span>
      )}
      <Heading className="font-semibold text-lg">{title}</Heading>
      <div className="flex max-w-prose flex-col items-center gap-4 text-muted">{children}</div>
    </div>
  );
}
