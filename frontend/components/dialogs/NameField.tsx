import { Pencil } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Button } from "@/components/ui/Button";
import { useRename } from "@/hooks/use-rename";
import { useUnderWay } from "@/hooks/use-under-way";
import { type Change, type Job, shortName } from "@/lib/job";

interface Props {
  job: Job;
  onChange: (change: Change) => void;
}

/** The job's name, and a text field to change it. Escape leaves it as it was. */
export function NameField({ job, onChange }: Props) {
  const [editing, setEditing] = useState(false);
  const edit = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);
  useEffect(() => {
    // The field had the focus and is gone now.
    if (wasEditing.current && !editing) edit.current?.focus();
    wasEditing.current = editing;
  }, [editing]);
  return (
    <section aria-label="Name" className="border-line border-b pb-4 text-sm">
      {editing ? (
        <NameForm job={job} onChange={onChange} onDone={() => setEditing(false)} />
      ) : (
        <div className="flex items-center justify-between gap-4">
          <p className="min-w-0">
            {job.name ? <bdi className="wrap-anywhere font-medium">{job.name}</bdi> : "This job has no name."}
          </p>
          <Button ref={edit} onClick={() => setEditing(true)} aria-label={`Rename job ${shortName(job.id)}`}>
            <Pencil aria-hidden className="size-4" />
            Rename
          </Button>
        </div>
      )}
    </section>
  );
}

function NameForm({ job, onChange, onDone }: Props & { onDone: () => void }) {
  const [text, setText] = useState(job.name ?? "");
  const rename = useRename(job, onChange);
  const input = useRef<HTMLInputElement>(null);
  const problem = useId();
  useEffect(() => {
    // Not every browser focuses what it selects.
    input.current?.focus();
    input.current?.select();
  }, []);
  useUnderWay(text !== (job.name ?? ""));

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (rename.busy) return;
    if (await rename.save(text)) onDone();
    else input.current?.focus();
  };
  const leave = (event: KeyboardEvent) => {
    // While an input method is composing, Escape ends the composition.
    if (event.key === "Escape" && !event.nativeEvent.isComposing && !rename.busy) onDone();
  };
  return (
    <form data-uses-escape onSubmit={submit} onKeyDown={leave} className="flex flex-wrap items-center gap-2">
      <input
        ref={input}
        type="text"
        dir="auto"
        value={text}
        readOnly={rename.busy}
        onChange={(event) => {
          setText(event.target.value);
          rename.forget();
        }}
        aria-label="Name of the job"
        aria-invalid={rename.failure !== null}
        aria-describedby={rename.failure ? problem : undefined}
        placeholder="No name"
        autoComplete="off"
        className="h-11 min-w-0 flex-1 basis-52 rounded-lg border border-line bg-surface px-3 placeholder:text-muted aria-invalid:border-red-400 sm:h-10"
      />
      <Button type="submit" look="primary" busy={rename.busy}>
        Save
      </Button>
      <Button onClick={onDone} busy={rename.busy}>
        Cancel
      </Button>
      {rename.failure && (
        <p id={problem} role="alert" className="w-full text-red-300">
          {rename.failure}
        </p>
      )}
    </form>
  );
}
