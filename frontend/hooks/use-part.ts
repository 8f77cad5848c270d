import { useEffect, useEffectEvent, useRef, useState } from "react";
import { messageOf, PartMissing } from "@/lib/errors";
import { late, reloadOnce } from "@/lib/late";
import { notify } from "@/lib/notify";

type Part<T> = { default: T };

/**
 * Loads a component, or several in an object, when it is first wanted, and returns it; null until it is loaded. If it is missing, the page is
 * reloaded once. If loading fails otherwise, the user sees a message and `onFailure` is called; the next time the
 * component is wanted, it is tried again. Where it may be wanted for several reasons, `wanted` is their number.
 */
export function usePart<T>(
  wanted: boolean | number,
  load: () => Promise<Part<T>>,
  onFailure: () => void,
): T | null {
  const [part, setPart] = useState<Part<T> | null>(null);
  const reasons = Number(wanted);
  const latest = useRef(reasons);
  /** For how many reasons it was wanted in vain. It is tried again once there is one more. */
  const inVain = useRef(0);
  const loading = useRef(false);
  const tell = useEffectEvent(onFailure);
  useEffect(() => {
    latest.current = reasons;
    inVain.current = Math.min(inVain.current, reasons);
    if (part || loading.current || reasons <= inVain.current) return;
    loading.current = true;
    late(load)
      .then(setPart, (error) => {
        if (error instanceof PartMissing && reloadOnce()) return;
        inVain.current = latest.current;
        notify("error", "This could not be opened", messageOf(error));
        tell();
      })
      .finally(() => {
        loading.current = false;
      });
  }, [reasons, part, load]);
  return part?.default ?? null;
}
