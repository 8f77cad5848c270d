import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { Toaster, toast } from "sonner";

export type Kind = "success" | "error" | "info";

const LONG = 10_000;
const SHORT = 5_000;

// A root of its own: messages belong to no page, and the library comes after the page has been drawn.
const root = createRoot(document.body.appendChild(document.createElement("div")));
// At once, for what is shown before the Toaster is there is lost.
flushSync(() =>
  root.render(
    <Toaster
      theme="dark"
      position="top-right"
      offset={{ top: 76 }}
      mobileOffset={{ top: 76 }}
      closeButton
      expand
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

export function show(kind: Kind, title: string, description?: string): void {
  toast[kind](title, { description, duration: kind === "success" ? SHORT : LONG });
}
