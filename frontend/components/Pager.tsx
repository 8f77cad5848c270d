import { ChevronLeft, ChevronRight } from "lucide-react";
import { Button } from "@/components/ui/Button";
import type { FoundList, TrashList } from "@/lib/job";
import { describeRange } from "@/lib/list";

interface Props {
  list: FoundList | TrashList;
  onPage: (page: number) => void;
}

export function Pager({ list, onPage }: Props) {
  if (list.page === 1 && list.next_cursor === null) {
    return <p className="mt-6 text-center text-muted text-sm tabular-nums">{describeRange(list)}</p>;
  }
  return (
    <nav aria-label="Pages" className="mt-6 flex flex-wrap items-center justify-between gap-3">
      <Button onClick={() => onPage(list.page - 1)} disabled={list.page === 1}>
        <ChevronLeft aria-hidden className="size-4" />
        Previous
      </Button>
      <p className="text-muted text-sm tabular-nums">{describeRange(list)}</p>
      <Button onClick={() => onPage(list.page + 1)} disabled={list.next_cursor === null}>
        Next
        <ChevronRight aria-hidden className="size-4" />
      </Button>
    </nav>
  );
}
