import { Trash2 } from "lucide-react";
import { Button } from "@/components/Button";

interface Props {
  count: number;
  ofPage: number;
  onSelectAll: () => void;
  onClear: () => void;
  onDelete: () => void;
}

/** Floats above the page while jobs are selected. */
export function SelectionBar({ count, ofPage, onSelectAll, onClear, onDelete }: Props) {
  if (count === 0) return null;
  return (
    <section
      aria-label="Selected jobs"
      className="fixed inset-x-3 bottom-3 z-20 mx-auto flex max-w-xl flex-wrap items-center gap-2 rounded-xl border border-line bg-surface p-2.5 pl-4 shadow-2xl shadow-black/50 sm:bottom-5"
    >
      <p className="mr-auto w-full font-medium sm:w-auto text-sm tabular-nums">{count} selected</p>
      {count < ofPage && <Button onClick={onSelectAll}>Select all {ofPage}</Button>}
      <Button onClick={onClear}>Clear</Button>
      <Button look="destructive" onClick={onDelete}>
        <Trash2 aria-hidden className="size-4" />
        Delete
      </Button>
    </section>
  );
}
