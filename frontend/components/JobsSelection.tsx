import { Download, Trash2 } from "lucide-react";
import { useEffect, useEffectEvent, useState } from "react";
import { SaveDialog } from "@/components/dialogs/SaveDialog";
import { SelectionBar } from "@/components/SelectionBar";
import { Button } from "@/components/ui/Button";
import type { Selection } from "@/hooks/use-selection";
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
  const [searching, setSearching] = useState(false);
  const [saving, setSaving] = useState<JobFields[]>([]);
  const { jobs, outOf, lost, drop } = selection;
  const total = list?.total ?? 0;
  const tellLost = useEffectEvent(() => {
    notify("info", "No longer on this page, and no longer selected", namesOf(lost));
    drop(lost);
  });
  useEffect(() => {
    if (lost.length > 0) tellLost();
  }, [lost.length]);

  const selectMatching = async () => {
    setSearching(true);
    try {
      const count = selection.selectThese(await allMatching(view, list?.by));
      announce(
        count === null
          ? "The selection has changed meanwhile. The jobs that match were not selected."
          : `${count} selected.`,
      );
    } catch (error) {
      if (!(error instanceof SessionEnded))
        notify("error", "The jobs could not be selected", messageOf(error));
    } finally {
      setSearching(false);
    }
  };
  return (
    <>
      <SelectionBar selection={selection}>
        {total > outOf && (
          <Button onClick={selectMatching} busy={searching || jobs.length >= total}>
            {searching ? "Selecting…" : `Select all ${total} that match`}
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
