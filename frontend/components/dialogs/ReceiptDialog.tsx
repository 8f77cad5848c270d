import { Save } from "lucide-react";
import type { ReactNode } from "react";
import useSWR from "swr";
import { Row } from "@/components/dialogs/Row";
import { Button } from "@/components/ui/Button";
import { Modal } from "@/components/ui/Modal";
import { Pulsing, Skeleton } from "@/components/ui/Skeleton";
import { ApiError, messageOf, SessionEnded } from "@/lib/errors";
import { type BucketReceipt, type Receipt, shortName } from "@/lib/job";
import { getReceipt } from "@/lib/job-calls";
import { BUCKETS, formatFiles, formatRemoved, STATES, saveReceipt } from "@/lib/receipt";
import { formatExact } from "@/lib/time";

export function ReceiptDialog({ jobId, onClose }: { jobId: string; onClose: () => void }) {
  return (
    <Modal
      title={`Receipt of the deletion of job ${shortName(jobId)}`}
      onClose={onClose}
      className="max-w-xl"
    >
      <ReceiptOf jobId={jobId} />
    </Modal>
  );
}

interface Props {
  jobId: string;
  /** Shown if the user never deleted such a job. */
  none?: ReactNode;
}

/** What was deleted, when, and what is left. The receipt can be saved as a file. */
export function ReceiptOf({ jobId, none }: Props) {
  const { data, error, isValidating, mutate } = useSWR<Receipt>(["receipt", jobId], () => getReceipt(jobId), {
    revalidateOnFocus: false,
    shouldRetryOnError: false,
  });
  if (none && error instanceof ApiError && error.status === 404) return none;
  if (error && !(error instanceof SessionEnded) && !isValidating) {
    return (
      <div role="alert" className="flex flex-col items-center gap-4 py-8 text-center text-muted">
        <p>{messageOf(error)}</p>
        <Button onClick={() => mutate()}>Try again</Button>
      </div>
    );
  }
  return data ? <Content receipt={data} /> : <ReceiptOf.Skeleton />;
}

function Content({ receipt }: { receipt: Receipt }) {
  const { state, left, late_objects, late_bytes, proved_empty_at } = receipt;
  return (
    <div className="flex flex-col gap-5 text-sm">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2.5">
        <Row name="Deleted">{formatExact(receipt.requested_at)}</Row>
        <Row name="State">{STATES[state]}</Row>
        {BUCKETS.map(([kind, label]) => (
          <Row key={kind} name={label} className="block">
            <Bucket bucket={receipt.buckets[kind]} />
          </Row>
        ))}
        {late_objects > 0 && (
          <Row name="Arrived later">{formatFiles(late_objects, late_bytes)}, removed at once</Row>
        )}
        {proved_empty_at && <Row name="Nothing left at">{formatExact(proved_empty_at)}</Row>}
        <Row name="Job id">
          <span className="break-all font-mono text-xs">{receipt.job_id}</span>
        </Row>
      </dl>
      {left.length > 0 && (
        <section
          aria-label="Files that are left"
          className="rounded-lg border border-amber-400/30 p-3 text-amber-200"
        >
          <p>The job names these files in other places. They are still there:</p>
          <ul className="mt-2 list-disc pl-5 font-mono text-xs">
            {left.map((name) => (
              <li key={name} className="wrap-anywhere">
                {name}
              </li>
            ))}
          </ul>
        </section>
      )}
      <div className="border-line border-t pt-4">
        <Button onClick={() => saveReceipt(receipt)}>
          <Save aria-hidden className="size-4" />
          Save as a file
        </Button>
      </div>
    </div>
  );
}

function Bucket({ bucket }: { bucket: BucketReceipt }) {
  const { proved_empty_at, recoverable_until } = bucket;
  return (
    <>
      <p>{formatRemoved(bucket)}</p>
      {proved_empty_at && <p className="text-muted">Empty since {formatExact(proved_empty_at)}</p>}
      {recoverable_until && <p className="text-muted">Last copy gone on {formatExact(recoverable_until)}</p>}
    </>
  );
}

ReceiptOf.Skeleton = function ReceiptSkeleton() {
  return (
    <Pulsing className="flex flex-col gap-5">
      <p className="sr-only">Loading the receipt</p>
      {[1, 2, 3, 4].map((number) => (
        <Skeleton key={number} className="h-5 w-60 max-w-full" />
      ))}
    </Pulsing>
  );
};
