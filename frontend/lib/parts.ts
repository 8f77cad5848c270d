/** What the page needs only once somebody does something on it. A page that is merely looked at does not load it. */
export const parts = {
  deleteDialog: whenOnline(() => import("@/components/dialogs/DeleteDialog")),
  detailsDialog: whenOnline(() => import("@/components/dialogs/DetailsDialog")),
  previewDialog: whenOnline(() => import("@/components/dialogs/PreviewDialog")),
  // At once or not at all: a message is of no use later.
  toasts: () => import("@/components/Toasts"),
};

/** React takes a dialog that could not be loaded for broken for good: without a connection, wait for the next one. */
function whenOnline<T>(load: () => Promise<T>): () => Promise<T> {
  return async function attempt() {
    try {
      return await load();
    } catch (error) {
      if (navigator.onLine) throw error;
      await new Promise((resolve) => window.addEventListener("online", resolve, { once: true }));
      return attempt();
    }
  };
}

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
