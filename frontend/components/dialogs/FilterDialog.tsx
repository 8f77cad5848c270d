import { type FormEvent, type ReactNode, useState } from "react";
import { statusLabel } from "@/components/StatusBadge";
import { Button } from "@/components/ui/Button";
import { ANSWERS, Modal } from "@/components/ui/Modal";
import { type Counts, GROUPS, JOB_TYPES, STATUSES, typeLabel } from "@/lib/job";
import { type Filter, NO_FILTER } from "@/lib/view";

interface Props {
  /** The filter that is chosen, perhaps as a part of something larger. */
  filter: Filter;
  counts: Counts | undefined;
  onApply: (filter: Filter) => void;
  onClose: () => void;
}

const FIRST_DAY = "2000-01-01";
const CHOICE = "inline-flex min-h-11 cursor-pointer items-center gap-2 sm:min-h-9";

/** All filters of the list, and its order. Nothing changes before the user has chosen everything. */
export function FilterDialog({ filter, counts, onApply, onClose }: Props) {
  const [draft, setDraft] = useState<Filter>(() => {
    const { statuses, types, from, to, oldest } = filter;
    return { statuses, types, from, to, oldest };
  });
  const { statuses, types, from, to, oldest } = draft;
  const change = (part: Partial<Filter>) => setDraft((before) => ({ ...before, ...part }));
  const groups = counts?.other || statuses.includes("other") ? GROUPS : STATUSES;
  // While a year is being typed, browsers tell of the year 2, 20 and 202.
  const backwards = to >= FIRST_DAY && to < from;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!backwards) onApply(draft);
  };
  return (
    <Modal title="Filter and sort" onClose={onClose} className="max-w-lg">
      <form onSubmit={submit} className="flex flex-col gap-4 text-sm">
        <Choices
          title="Status"
          known={groups}
          chosen={statuses}
          label={statusLabel}
          onChange={(now) => change({ statuses: now })}
        />
        <Choices
          title="Type"
          known={JOB_TYPES}
          chosen={types}
          label={(type) => typeLabel({ job_type: type })}
          onChange={(now) => change({ types: now })}
        />
        <Fieldset title="Created">
          <Day label="From" value={from} invalid={backwards} onChange={(day) => change({ from: day })} />
          <Day label="To" value={to} invalid={backwards} onChange={(day) => change({ to: day })} />
          {backwards && (
            <p role="alert" className="w-full text-red-300">
              The first day must not be after the last.
            </p>
          )}
        </Fieldset>
        <Fieldset title="Order">
          {[false, true].map((last) => (
            <label key={String(last)} className={CHOICE}>
              <input
                type="radio"
                name="order"
                checked={oldest === last}
                onChange={() => change({ oldest: last })}
                className="size-4.5 accent-accent"
              />
              {last ? "Oldest first" : "Newest first"}
            </label>
          ))}
        </Fieldset>
        <div className={ANSWERS}>
          <Button onClick={() => setDraft(NO_FILTER)}>Clear all</Button>
          <Button type="submit" look="primary">
            Show jobs
          </Button>
        </div>
      </form>
    </Modal>
  );
}

interface ChoicesProps<T extends string> {
  title: string;
  known: readonly T[];
  chosen: T[];
  label: (one: T) => string;
  onChange: (chosen: T[]) => void;
}

/** Any number of these. They stay in the order in which they are known. */
function Choices<T extends string>({ title, known, chosen, label, onChange }: ChoicesProps<T>) {
  const toggle = (one: T, on: boolean) =>
    onChange(known.filter((other) => (other === one ? on : chosen.includes(other))));
  return (
    <Fieldset title={title}>
      {known.map((one) => (
        <label key={one} className={CHOICE}>
          <input
            type="checkbox"
            checked={chosen.includes(one)}
            onChange={(event) => toggle(one, event.target.checked)}
            className="size-4.5 accent-accent"
          />
          {label(one)}
        </label>
      ))}
    </Fieldset>
  );
}

interface DayProps {
  label: string;
  value: string;
  invalid: boolean;
  onChange: (day: string) => void;
}

function Day({ label, value, invalid, onChange }: DayProps) {
  return (
    <label className={CHOICE}>
      {label}
      <input
        type="date"
        value={value}
        max="2099-12-31"
        min={FIRST_DAY}
        aria-invalid={invalid}
        onChange={(event) => onChange(event.target.value)}
        className="h-11 rounded-lg border border-line bg-page px-3 aria-invalid:border-red-400 sm:h-10"
      />
    </label>
  );
}

function Fieldset({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset>
      <legend className="mb-1 font-medium text-muted">{title}</legend>
      <div className="flex flex-wrap gap-x-5 gap-y-1">{children}</div>
    </fieldset>
  );
}
