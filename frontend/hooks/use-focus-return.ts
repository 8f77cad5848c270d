import { useState } from "react";
import { TITLE_ID } from "@/lib/focus";

/**
 * Returns the focus to the element that opened a dialog or, if that is gone, to the page's title. Radix does this only
 * for its own triggers, and ours can be anywhere on the page.
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
