export type Kind = "success" | "error" | "info";

/** Show a message for some seconds. The library that shows it is loaded with the first one. */
export function notify(kind: Kind, title: string, description?: string): void {
  void import("@/components/Toasts").then(({ show }) => show(kind, title, description));
}
