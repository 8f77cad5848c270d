import { Search, X } from "lucide-react";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { waysToSearch } from "@/lib/view";

/** Milliseconds. */
const PAUSE = 300;

interface Props {
  search: string;
  onChange: (search: string) => void;
}

/** Searches by id or name when the user presses Enter or pauses typing. */
export function SearchBox({ search, onChange }: Props) {
  const [text, setText] = useState(search);
  const [seen, setSeen] = useState(search);
  const [sent, setSent] = useState(search);
  const input = useRef<HTMLInputElement>(null);

  if (search !== seen) {
    setSeen(search);
    // The address was changed by something else, such as Back. A search sent from here leaves the text alone.
    if (search !== sent) {
      setSent(search);
      setText(search);
    }
  }
  const send = (value: string) => {
    setSent(value);
    if (value !== search) onChange(value);
  };
  const sendLater = useEffectEvent(send);
  const typed = text.trim();
  useEffect(() => {
    if (typed === sent) return;
    const timer = setTimeout(() => sendLater(typed), PAUSE);
    return () => clearTimeout(timer);
  }, [typed, sent]);
  const invalid = typed !== "" && waysToSearch({ search: typed, by: null }).length === 0;

  return (
    <search className="w-full sm:w-80">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send(typed);
        }}
        className="relative"
      >
        <Search
          aria-hidden
          className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-muted"
        />
        <input
          ref={input}
          type="text"
          inputMode="search"
          enterKeyHint="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
          aria-label="Search all jobs by id or name"
          aria-invalid={invalid}
          aria-describedby={invalid ? "search-problem" : undefined}
          placeholder="Search by id or name"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={128}
          className="h-11 w-full rounded-lg border border-line bg-surface pr-11 pl-9 text-sm placeholder:text-muted aria-invalid:border-red-400 sm:h-10"
        />
        {text && (
          <button
            type="button"
            aria-label="Clear the search"
            onClick={() => {
              setText("");
              send("");
              input.current?.focus();
            }}
            className="absolute inset-y-0 right-0 grid w-11 place-items-center rounded-r-lg text-muted hover:text-ink sm:w-10"
          >
            <X aria-hidden className="size-4" />
          </button>
        )}
      </form>
      {invalid && (
        <p id="search-problem" role="alert" className="mt-1.5 text-red-300 text-xs">
          Names have at most 80 characters. Job ids contain only letters, digits, - and _.
        </p>
      )}
    </search>
  );
}
