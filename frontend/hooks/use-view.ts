import { useSearchParams } from "next/navigation";
import { useMemo } from "react";
import { parseView, type View, viewAddress } from "@/lib/view";

export interface Navigation {
  /** Changes the view and adds a step to the browser's history, unless the address says the same already. */
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

  const navigation = useMemo<Navigation>(() => {
    // Not the view of a render: a message's button or a notification may be clicked long after it.
    const now = () => parseView(new URLSearchParams(location.search));
    const amend = (change: Partial<View>) =>
      history.replaceState(
        { openedHere: change.details !== null && isOpenedHere() },
        "",
        viewAddress({ ...now(), ...change }),
      );
    const go = (change: Partial<View>) => {
      const address = viewAddress({ ...now(), ...change });
      // Of two clicks, the second would be a step of its own, and one Back would not do. The page may not have drawn what
      // the first one changed.
      if (address === viewAddress(now())) return;
      history.pushState({ openedHere: change.details != null }, "", address);
    };
    return {
      go,
      amend,
      openDetails: (jobId) => go({ details: jobId }),
      closeDetails: () => {
        // Back undoes the step that opened the details. A user who came in by the address has no such step.
        if (!isOpenedHere()) return amend({ details: null });
        // The browser goes back a little later. Closing the details once more until then must not go back twice.
        history.replaceState({ openedHere: false }, "");
        history.back();
      },
    };
  }, []);
  return [view, navigation];
}

/** Whether this entry of the browser's history is the step that opened the details. Each has its own: Back leads to others. */
function isOpenedHere(): boolean {
  return history.state?.openedHere === true;
}
