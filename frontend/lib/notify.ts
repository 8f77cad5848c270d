import type { Action, Kind } from "@/components/ui/Toasts";
import { late } from "@/lib/late";

/** How long a message stays if their component cannot be loaded, in milliseconds. */
const PLAIN = 10_000;

/** Loads the component that shows messages, and its library. */
export const loadToasts = () => import("@/components/ui/Toasts");

/**
 * Shows a message for a few seconds. It replaces an earlier one about the same topic, which is the title by default.
 * With an `action` it has a button and stays for ten seconds; the button is lost if the component cannot be loaded.
 */
export function notify(
  kind: Kind,
  title: string,
  description?: string,
  topic: string = title,
  action?: Action,
): void {
  late(loadToasts).then(
    ({ show }) => show(kind, title, description, topic, action),
    () => showPlainly([title, description].filter(Boolean).join("\n")),
  );
}

function showPlainly(text: string): void {
  const message = document.createElement("p");
  message.setAttribute("role", "alert");
  message.className =
    "fixed top-19 right-3 left-3 z-50 ml-auto max-w-sm whitespace-pre-line wrap-anywhere rounded-lg border border-line bg-surface p-4 text-sm shadow-2xl";
  document.body.append(message);
  // Set after the element is there, so that screen readers notice the change.
  message.textContent = text;
  setTimeout(() => message.remove(), PLAIN);
}
