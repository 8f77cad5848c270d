import { parts } from "@/lib/parts";

export type Kind = "success" | "error" | "info";

/** Show a message for some seconds. The library that shows it may have to be loaded first: see lib/parts.ts. */
export function notify(kind: Kind, title: string, description?: string): void {
  parts.toasts().then(
    ({ show }) => show(kind, title, description),
    () => alert([title, description].filter(Boolean).join("\n")),
  );
}
