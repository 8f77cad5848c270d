import { useSearchParams } from "next/navigation";
import { useMemo, useRef } from "react";
import { parseView, type View, viewAddress } from "@/lib/view";

export interface Navigation {
  /** Show something else; the browser's Back returns. */
  go: (change: Partial<View>) => void;
  /** The same without a step to go back to. */
  amend: (change: Partial<View>) => void;
  openDetails: (jobId: string) => void;
  closeDetails: () => void;
}

/** What the address says is to be seen, and the ways to change it. No request is made for it. */
export function useView(): [View, Navigation] {
  const parameters = useSearchParams();
  const view = useMemo(() => parseView(new URLSearchParams(parameters)), [parameters]);
  const openedHere = useRef(false);

  const navigation = useMemo<Navigation>(() => {
    const amend = (change: Partial<View>) =>
      history.replaceState(null, "", viewAddress({ ...view, ...change }));
    const go = (change: Partial<View>) => {
      openedHere.current = change.details != null;
      history.pushState(null, "", viewAddress({ ...view, ...change }));
    };
    return {
      go,
      amend,
      openDetails: (jobId) => go({ details: jobId }),
      closeDetails: () => {
        // Back undoes the step that opened them; whoever came in by the address has no step to undo.
        if (openedHere.current) history.back();
        else amend({ details: null });
        openedHere.current = false;
      },
    };
  }, [view]);
  return [view, navigation];
}
