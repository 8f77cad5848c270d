import { useState } from "react";
import { TITLE_ID } from "@/lib/focus";

/**
 * Returns the focus to the element that opened a dialog or, if that is gone, to the page's title. Radix does this only
 * for its own triggers, and ours can be anywhere on the page. `about` is the element id of the card that the dialog is
 * about now: if the opener is not in it, the card gets the focus.
 */
export function useFocusReturn(about?: string): (event: Event) => void {
  const [opener] = useState(() => document.activeElement);
  return (event) => {
    event.preventDefault();
    (targetOf(opener, about) ?? document.getElementById(TITLE_ID))?.focus();
  };
}

function targetOf(opener: Element | null, about: string | undefined): HTMLElement | null {
  if (!(opener instanceof HTMLElement) || opener === document.body) return null;
  const card = about === undefined ? null : document.getElementById(about);
  if (card) return card.contains(opener) ? opener : card;
  return opener.isConnected ? opener : null;
}
