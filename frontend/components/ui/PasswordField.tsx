import { Eye, EyeOff } from "lucide-react";
import { useState } from "react";

/** The look of a text field. */
export const FIELD =
  "h-11 w-full rounded-lg border border-line bg-page px-3 text-base placeholder:text-muted aria-invalid:border-red-400";

/** A field named `password`, which shows what is typed on request. */
export function PasswordField({ invalid }: { invalid: boolean }) {
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  return (
    <div className="relative">
      <label className="flex flex-col gap-1.5 font-medium text-sm">
        Password
        <input
          className={`${FIELD} pr-12`}
          name="password"
          type={shown ? "text" : "password"}
          autoComplete="current-password"
          autoCapitalize="none"
          spellCheck={false}
          required
          aria-invalid={invalid}
        />
      </label>
      <button
        type="button"
        aria-label="Show what is typed"
        aria-pressed={shown}
        onClick={() => setShown(!shown)}
        className="absolute right-0 bottom-0 grid size-11 place-items-center rounded-r-lg text-muted hover:text-ink aria-pressed:text-accent"
      >
        <Icon aria-hidden className="size-4.5" />
      </button>
    </div>
  );
}
