import type { Kind } from "@/components/ui/Toasts";

/** Loads the component that shows messages, and its library. */
export const loadToasts = () => import("@/components/ui/Toasts");

/** Shows a message for a few seconds. */
export function notify(kind: Kind, title: string, description?: string): void {
  loadToasts().then(
    ({ show }) => show(kind, title, description),
    () => alert([title, description].filter(Boolean).join("\n")),
  );
}
