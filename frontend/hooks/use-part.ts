import { useEffect, useEffectEvent, useRef, useState } from "react";
import { messageOf, PartMissing } from "@/lib/errors";
import { late, reloadOnce } from "@/lib/late";
import { notify } from "@/lib/notify";
import { afterBeingLookedAt } from "@/lib/polling";
import { MINUTE } from "@/lib/time";

type Part<T> = { default: T };

/**
 * Loads a component, or several in an object, when it is first wanted, and returns it; null until it is loaded. If it is
 * missing, the page is reloaded once. If loading fails otherwise, the user sees a message and `onFailure` is called; it
 * is tried again the next time the component is wanted or, if it still is, once the page has been looked at for a
 * minute. Where it may be wanted for several reasons, `wanted` is their number.
 */
export function usePart<T>(
  wanted: boolean | number,
  load: () => Promise<Part<T>>,
  onFailure: () => void,
): T | null {
  const [part, setPart] = useState<Part<T> | null>(null);
  const reasons = Number(wanted);
  const latest = useRef(reasons);
  /** For how many reasons it was wanted in vain. It is tried again once there is one more, and after a while. */
  const [inVain, setInVain] = useState(0);
  const loading = useRef(false);
  const tell = useEffectEvent(onFailure);
  useEffect(() => {
    latest.current = reasons;
    setInVain((number) => Math.min(number, reasons));
    if (part || loading.current || reasons <= inVain) return;
    loading.current = true;
    late(load)
      .then(setPart, (error) => {
        if (error instanceof PartMissing && reloadOnce()) return;
        setInVain(latest.current);
        notify("error", "This could not be opened", messageOf(error));
        tell();
      })
      .finally(() => {
        loading.current = false;
      });
  }, [reasons, part, load, inVain]);
  useEffect(() => (inVain ? afterBeingLookedAt(MINUTE, () => setInVain(0)) : undefined), [inVain]);
  return part?.default ?? null;
}
