import { loadAccountMenu } from "@/components/AccountButton";
import { loadRestore } from "@/hooks/use-restore";
import { loadDownload } from "@/lib/actions";
import { loadLater } from "@/lib/later";
import { loadToasts } from "@/lib/notify";

/** What the page loads only when the user starts to do something. */
export const parts = {
  accountMenu: loadAccountMenu,
  deleteDialog: () => import("@/components/dialogs/DeleteDialog"),
  detailsDialog: () => import("@/components/dialogs/DetailsDialog"),
  download: loadDownload,
  gridCard: () => import("@/components/GridCard"),
  later: loadLater,
  previewDialog: () => import("@/components/dialogs/PreviewDialog"),
  restore: loadRestore,
  trashContent: () => import("@/components/TrashContent"),
  toasts: loadToasts,
};

const FIRST_EVENTS = ["pointermove", "pointerdown", "keydown", "focusin"];

/**
 * Loads all parts at the first pointer movement, key press or focus, so that they are there before they are needed,
 * even if the connection is lost by then. Returns a function that cancels this.
 */
export function loadPartsOnFirstUse(): () => void {
  const stop = () => {
    for (const event of FIRST_EVENTS) document.removeEventListener(event, load);
  };
  const load = () => {
    stop();
    for (const part of Object.values(parts)) void (part() as Promise<unknown>).catch(() => undefined);
  };
  for (const event of FIRST_EVENTS) document.addEventListener(event, load);
  return stop;
}
