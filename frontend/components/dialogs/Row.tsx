import type { ReactNode } from "react";

interface Props {
  name: string;
  children: ReactNode;
  className?: string;
}

/** One fact in a dialog's list of them. Its parts stand side by side unless `className` says otherwise. */
export function Row({ name, children, className = "flex flex-wrap items-center gap-2" }: Props) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className={`min-w-0 ${className}`}>{children}</dd>
    </>
  );
}
