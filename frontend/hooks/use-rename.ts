import { useState } from "react";
import { messageOf, SessionEnded } from "@/lib/errors";
import { type Change, isShared, type Job, shortName } from "@/lib/job";
import { renameJob } from "@/lib/job-calls";
import { enteredName } from "@/lib/naming";
import { notify } from "@/lib/notify";

/** Renames the job. `onChange` gets what changes. */
export function useRename(job: Job, onChange: (change: Change) => void) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  /** Returns whether the job now has the name that was entered. */
  const save = async (text: string): Promise<boolean> => {
    const wanted = enteredName(text);
    setFailure(null);
    if (wanted === (job.name ?? null)) return true;
    setBusy(true);
    try {
      const { id, name } = await renameJob(job.id, wanted);
      onChange({ id, name });
      const said =
        name === null
          ? "no longer has a name"
          : `is now called “${name}”${job.share_name && isShared(job) ? ", on its share page too" : ""}`;
      notify("success", `Job ${shortName(id)} ${said}`);
      return true;
    } catch (error) {
      if (error instanceof SessionEnded) return false;
      setFailure(messageOf(error));
      // Who has closed the details would not see it there.
      notify("error", `Job ${shortName(job.id)} could not be renamed`, messageOf(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, save, forget: () => setFailure(null) };
}
