import { useSearchParams } from "next/navigation";
import { useMemo, useRef } from "react";
import { parseView, type View, viewAddress } from "@/lib/view";

export interface Navigation {
  /** Changes the view and adds a step to the browser's history. */
  go: (change: Partial<View>) => void;
  /** Changes the view without adding a step. */
  amend: (change: Partial<View>) => void;
  openDetails: (jobId: string) => void;
  closeDetails: () => void;
}

/** Returns the view that the address describes, and ways to change it. Changing it makes no request by itself. */
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
        // Back undoes the step that opened the details. A user who came in by the address has no such step.
        if (openedHere.current) history.back();
        else amend({ details: null });
        openedHere.current = false;
      },
    };
  }, [view]);
  return [view, navigation];
}
