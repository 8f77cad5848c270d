import { useRef, useState } from "react";
import { Button } from "@/components/ui/Button";
import { useOnline, useVisible } from "@/hooks/use-environment";
import { usePolling } from "@/hooks/use-polling";
import { describe, forgetErasure, getErasure, tellErased } from "@/lib/erasure";
import { messageOf, SessionEnded } from "@/lib/errors";
import type { Erasure } from "@/lib/job";
import { KEPT_FOR } from "@/lib/keeping";
import { brisk, unasked } from "@/lib/polling";
import { settings } from "@/lib/settings";

interface Props {
  userId: string;
  onClose: () => void;
}

/** How far the deletion of all jobs has come. Its end is shown until it is closed, but not when the page is opened again. */
export function ErasureProgress({ userId, onClose }: Props) {
  const [erasure, setErasure] = useState<Erasure | null>(null);
  const asked = useRef(unasked());
  const watching = [useVisible(), useOnline()].every(Boolean);
  const isDone = erasure?.state === "done";
  const failure = usePolling(watching && !isDone, asked, brisk, async (signal) => {
    const found = await getErasure(signal);
    if (found?.state !== "pending") forgetErasure(userId);
    if (!found) return onClose();
    setErasure(found);
    if (found.state === "done") tellErased();
  });
  return (
    <section
      aria-label="Erasure"
      className="flex flex-wrap items-center justify-center gap-x-4 gap-y-2 border-line border-b bg-surface px-4 py-2 text-center text-sm"
    >
      <p role="status">
        {erasure ? describe(erasure) : "All your jobs are being deleted."}
        {isDone &&
          settings.softDeleteDays > 0 &&
          ` For ${KEPT_FOR} they can be restored, without their texts.`}
      </p>
      {erasure && !isDone && <Bar erasure={erasure} />}
      {failure !== undefined && !(failure instanceof SessionEnded) && (
        <p role="alert" className="text-amber-200">
          How far this has come is not known. {messageOf(failure)}
        </p>
      )}
      {isDone && <Button onClick={onClose}>Close</Button>}
    </section>
  );
}

function Bar({ erasure: { jobs, deleted } }: { erasure: Erasure }) {
  const done = Math.min(deleted, jobs);
  return (
    <>
      <progress aria-label="Deleted so far" max={jobs || 1} value={done} className="h-2 w-40" />
      <span className="text-muted tabular-nums">
        {done} of {jobs}
      </span>
    </>
  );
}
