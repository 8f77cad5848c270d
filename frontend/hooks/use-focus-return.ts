import { useState } from "react";
import { TITLE_ID } from "@/lib/focus";

/**
 * Gives the focus back to what opened a dialog, or, where that has gone, to the page's title. Radix does so for its
 * own triggers alone, and ours are anywhere on the page.
 */
export function useFocusReturn(): (event: Event) => void {
  const [opener] = useState(() => document.activeElement);
  return (event) => {
    event.preventDefault();
    const target =
      opener instanceof HTMLElement && opener.isConnected && opener !== document.body ? opener : null;
    (target ?? document.getElementById(TITLE_ID))?.focus();
  };
}
