import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { Toaster, toast } from "sonner";

export type Kind = "success" | "error" | "info";

export interface Action {
  label: string;
  onClick: () => void;
}

/** How long messages stay, in milliseconds. */
const LONG = 10_000;
const SHORT = 5_000;

// Messages have their own root: they belong to no page, and the library loads after the page has been drawn.
const root = createRoot(document.body.appendChild(document.createElement("div")));
// Synchronous, because a message that is shown before the Toaster is mounted is lost.
flushSync(() =>
  root.render(
    <Toaster
      theme="dark"
      position="top-right"
      offset={{ top: 76 }}
      mobileOffset={{ top: 76 }}
      closeButton
      expand
      // An open menu, which nothing may cover, is at the same place.
      className="[body:has([role=menu])_&]:z-10!"
      toastOptions={{
        style: { background: "#1e293b", border: "1px solid #334155", color: "#f1f5f9" },
        classNames: {
          toast: "pointer-events-auto",
          description: "text-muted! wrap-anywhere",
          success: "[&_[data-icon]]:text-green-300",
          error: "[&_[data-icon]]:text-red-300",
        },
      }}
    />,
  ),
);

/** Shows a message in the place of the one that is shown about the same topic, if any. */
export function show(
  kind: Kind,
  title: string,
  description: string | undefined,
  topic: string,
  action: Action | undefined,
): void {
  const duration = kind === "success" && !action ? SHORT : LONG;
  toast[kind](title, { id: topic, description, duration, action });
}
