import { loadAccountMenu } from "@/components/AccountButton";
import { listenTo } from "@/lib/events";
import { loadLater } from "@/lib/later";
import { loadToasts } from "@/lib/notify";

/** What the page loads only when the user starts to do something. */
export const parts = {
  accountMenu: loadAccountMenu,
  detailsDialog: () => import("@/components/dialogs/DetailsDialog"),
  gridCard: () => import("@/components/GridCard"),
  later: loadLater,
  previewDialog: () => import("@/components/dialogs/PreviewDialog"),
  trashContent: () => import("@/components/TrashContent"),
  toasts: loadToasts,
  /** To sign out. */
  zipFile: () => import("@/lib/zip-file"),
};

const firstUse = listenTo("pointermove", "pointerdown", "keydown", "focusin");

/**
 * Loads all parts at the first pointer movement, key press or focus, so that they are there before they are needed,
 * even if the connection is lost by then. With them comes what removes zip files that are no longer needed. Returns a
 * function that cancels this.
 */
export function loadPartsOnFirstUse(): () => void {
  const stop = firstUse(() => {
    stop();
    for (const part of Object.values(parts)) void (part() as Promise<unknown>).catch(() => undefined);
    void loadLater().then(
      ({ forgetZips }) => forgetZips(),
      () => undefined,
    );
  });
  return stop;
}
