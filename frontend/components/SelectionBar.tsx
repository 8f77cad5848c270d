import type { ReactNode } from "react";
import { Button } from "@/components/ui/Button";
import type { Selection } from "@/hooks/use-selection";
import { focusTitle } from "@/lib/focus";

interface Props {
  selection: Pick<Selection, "jobs" | "outOf" | "selectAll" | "clear">;
  /** The buttons that act on the selected jobs. */
  children: ReactNode;
}

/** Floats above the page while jobs are selected. In the tab order it comes before the jobs. */
export function SelectionBar({ selection, children }: Props) {
  const count = selection.jobs.length;
  if (count === 0) return null;
  const clear = () => {
    focusTitle();
    selection.clear();
  };
  return (
    <section
      aria-label="Selected jobs"
      className="floats-below short:static short:mb-4 fixed inset-x-3 bottom-3 z-20 mx-auto flex max-w-xl flex-wrap items-center gap-2 rounded-xl border border-line bg-surface p-2.5 pl-4 shadow-2xl shadow-black/50 sm:bottom-5"
    >
      <p className="mr-auto w-full font-medium text-sm tabular-nums sm:w-auto">{count} selected</p>
      <Button onClick={selection.selectAll} busy={count >= selection.outOf}>
        Select all {selection.outOf}
      </Button>
      <Button onClick={clear}>Clear</Button>
      {children}
    </section>
  );
}
