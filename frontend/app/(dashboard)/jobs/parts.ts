import { loadToasts } from "@/lib/notify";

/** What the page needs only once somebody does something on it. A page that is merely looked at does not load it. */
export const parts = {
  deleteDialog: () => import("@/components/dialogs/DeleteDialog"),
  detailsDialog: () => import("@/components/dialogs/DetailsDialog"),
  previewDialog: () => import("@/components/dialogs/PreviewDialog"),
  toasts: loadToasts,
};

const FIRST_SIGNS = ["pointermove", "pointerdown", "keydown", "focusin"];

/**
 * Loads the parts at the first sign of a hand on the page, so that they are there before they are needed: also when
 * the connection has gone by then. Returns what gives that up.
 */
export function loadPartsOnFirstUse(): () => void {
  const stop = () => {
    for (const sign of FIRST_SIGNS) document.removeEventListener(sign, load);
  };
  const load = () => {
    stop();
    for (const part of Object.values(parts)) part().catch(() => undefined);
  };
  for (const sign of FIRST_SIGNS) document.addEventListener(sign, load);
  return stop;
}
