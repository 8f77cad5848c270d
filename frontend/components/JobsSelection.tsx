import { Download, Trash2 } from "lucide-react";
import { useEffect, useEffectEvent, useState } from "react";
import { SaveDialog } from "@/components/dialogs/SaveDialog";
import { SelectionBar } from "@/components/SelectionBar";
import { Button } from "@/components/ui/Button";
import type { Selection } from "@/hooks/use-selection";
import { useUnderWay } from "@/hooks/use-under-way";
import { messageOf, SessionEnded } from "@/lib/errors";
import type { FoundList, JobFields } from "@/lib/job";
import { allMatching } from "@/lib/matching";
import { namesOf } from "@/lib/naming";
import { notify } from "@/lib/notify";
import type { View } from "@/lib/view";

interface Props {
  selection: Selection;
  view: View;
  list: FoundList | undefined;
  onDelete: (jobs: JobFields[]) => void;
  /** Tells screen readers. */
  announce: (text: string) => void;
}

/** What can be done with the selected jobs. It stays rendered while none is selected: a saving goes on. */
export function JobsSelection({ selection, view, list, onDelete, announce }: Props) {
  /** The search for all jobs that match. It ends when the selection changes, by the user or with the page. */
  const [search, setSearch] = useState<AbortController | null>(null);
  const [saving, setSaving] = useState<JobFields[]>([]);
  const { jobs, outOf, lost, drop, state } = selection;
  const total = list?.total ?? 0;
  useUnderWay(jobs.length > 0);
  const tellLost = useEffectEvent(() => {
    notify("info", "No longer on this page, and no longer selected", namesOf(lost));
    drop(lost);
  });
  useEffect(() => {
    if (lost.length > 0) tellLost();
  }, [lost.length]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of the selection is what ends the search
  useEffect(() => () => search?.abort(), [search, state]);

  const selectMatching = async () => {
    const begun = new AbortController();
    const { signal } = begun;
    setSearch(begun);
    try {
      announce(`${selection.selectThese(await allMatching(view, list?.by, signal))} selected.`);
    } catch (error) {
      if (signal.aborted)
        announce("The selection has changed meanwhile. The jobs that match were not selected.");
      else if (!(error instanceof SessionEnded))
        notify("error", "The jobs could not be selected", messageOf(error));
    } finally {
      setSearch((now) => (now === begun ? null : now));
    }
  };
  return (
    <>
      <SelectionBar selection={selection}>
        {total > outOf && (
          <Button onClick={selectMatching} busy={search !== null || jobs.length >= total}>
            {search ? "Selecting…" : `Select all ${total} that match`}
          </Button>
        )}
        <Button onClick={() => setSaving(jobs)}>
          <Download aria-hidden className="size-4" />
          Download
        </Button>
        <Button look="destructive" onClick={() => onDelete(jobs)}>
          <Trash2 aria-hidden className="size-4" />
          Delete
        </Button>
      </SelectionBar>
      {saving.length > 0 && <SaveDialog jobs={saving} onClose={() => setSaving([])} />}
    </>
  );
}
