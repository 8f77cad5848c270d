import { ReceiptText, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { ReceiptDialog } from "@/components/dialogs/ReceiptDialog";
import { CARD, Selector } from "@/components/JobCard";
import { JobsContent, LIST, LIST_WIDTH } from "@/components/JobsContent";
import { Failure, Outdated } from "@/components/LoadProblem";
import { Pager } from "@/components/Pager";
import { SelectionBar } from "@/components/SelectionBar";
import { StatusBadge } from "@/components/StatusBadge";
import { Age } from "@/components/ui/Age";
import { Button } from "@/components/ui/Button";
import { Notice } from "@/components/ui/Notice";
import { useSelection } from "@/hooks/use-selection";
import type { Trash } from "@/hooks/use-trash";
import type { Navigation } from "@/hooks/use-view";
import { cardId } from "@/lib/focus";
import { focusAfterDeletion } from "@/lib/focus-after-deletion";
import { type DeletedJob, shortName, titleOf } from "@/lib/job";
import { KEPT_FOR } from "@/lib/keeping";
import { settings } from "@/lib/settings";
import { formatDate, formatExact } from "@/lib/time";
import type { View } from "@/lib/view";

interface Props {
  trash: Trash;
  view: View;
  navigation: Navigation;
  onRestore: (jobs: DeletedJob[]) => void;
}

/** The deleted jobs that can be restored, or the reason why there are none. */
export default function TrashContent({ trash, view, navigation, onRestore }: Props) {
  const { list, error } = trash;
  const selection = useSelection(view, list?.jobs ?? []);
  const [receiptOf, setReceiptOf] = useState<DeletedJob | null>(null);

  const restore = (jobs: DeletedJob[]) => {
    // The button that has the focus disappears with its card.
    focusAfterDeletion.plan(list?.jobs ?? [], jobs);
    focusAfterDeletion.apply();
    selection.drop(jobs);
    onRestore(jobs);
  };
  if (!list || list.jobs.length === 0) {
    if (error && !trash.loading) return <Failure title="The trash could not be loaded" list={trash} />;
    return list?.total === 0 && !trash.loading ? <Empty /> : <JobsContent.Skeleton />;
  }
  return (
    <div aria-busy={trash.loading} className={LIST_WIDTH}>
      <SelectionBar selection={selection}>
        <Button look="primary" onClick={() => restore(selection.jobs)}>
          <RotateCcw aria-hidden className="size-4" />
          Restore
        </Button>
      </SelectionBar>
      {error !== undefined && !trash.loading && <Outdated list={trash} />}
      <ul className={LIST}>
        {list.jobs.map((job) => (
          <li key={job.id}>
            <DeletedCard
              job={job}
              selected={selection.has(job)}
              onSelect={(on, range) => selection.select(job, on, range)}
              onRestore={() => restore([job])}
              onReceipt={() => setReceiptOf(job)}
            />
          </li>
        ))}
      </ul>
      <Pager list={list} onPage={(page) => navigation.go({ page })} />
      {receiptOf && <ReceiptDialog jobId={receiptOf.id} onClose={() => setReceiptOf(null)} />}
    </div>
  );
}

function Empty() {
  return (
    <Notice title="The trash is empty" icon={<Trash2 className="size-7" />}>
      <p>
        {settings.softDeleteDays > 0
          ? `Jobs that you delete stay here for ${KEPT_FOR}, and can be restored.`
          : "Deleted jobs are gone for good, because no copies are kept."}
      </p>
    </Notice>
  );
}

interface CardProps {
  job: DeletedJob;
  selected: boolean;
  onSelect: (selected: boolean, range: boolean) => void;
  onRestore: () => void;
  onReceipt: () => void;
}

function DeletedCard({ job, selected, onSelect, onRestore, onReceipt }: CardProps) {
  const name = shortName(job.id);
  const titleId = `${cardId(job.id)}-title`;
  return (
    <article
      id={cardId(job.id)}
      tabIndex={-1}
      aria-labelledby={titleId}
      className={`${CARD} flex flex-col gap-2 ${selected ? "border-accent/70" : "border-line"}`}
    >
      <div className="flex items-start justify-between gap-2">
        <h2 id={titleId} className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1.5">
          <bdi className="wrap-anywhere font-semibold text-base">{titleOf(job)}</bdi>
          <StatusBadge status={job.status} />
        </h2>
        <Selector job={job} selected={selected} onSelect={onSelect} />
      </div>
      <p className="truncate font-mono text-muted text-xs" title={job.id}>
        {job.id}
      </p>
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-3">
        <p className="text-muted text-sm">
          Deleted <Age time={job.deleted_at} />
          <span aria-hidden className="mx-1 hidden sm:inline">
            ·
          </span>{" "}
          <span className="whitespace-nowrap text-amber-200">
            Gone for good on{" "}
            <time dateTime={job.recoverable_until} title={formatExact(job.recoverable_until)}>
              {formatDate(job.recoverable_until)}
            </time>
          </span>
        </p>
        <div className="flex flex-wrap gap-2">
          <Button onClick={onReceipt} aria-label={`Receipt of job ${name}`}>
            <ReceiptText aria-hidden className="size-4" />
            Receipt
          </Button>
          <Button look="primary" onClick={onRestore} aria-label={`Restore job ${name}`}>
            <RotateCcw aria-hidden className="size-4" />
            Restore
          </Button>
        </div>
      </div>
    </article>
  );
}
