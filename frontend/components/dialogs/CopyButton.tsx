import { Copy } from "lucide-react";
import { copyText } from "@/lib/copying";

/** Copies a text. `name` says what it is, such as "Prompt". */
export function CopyButton({ name, text }: { name: string; text: string }) {
  return (
    <button
      type="button"
      onClick={() => copyText(name, text)}
      aria-label={`Copy the ${name.toLowerCase()}`}
      className="-my-2.5 grid size-11 shrink-0 place-items-center rounded-lg text-muted hover:bg-line hover:text-ink sm:-my-1.5 sm:size-8"
    >
      <Copy aria-hidden className="size-4" />
    </button>
  );
}
