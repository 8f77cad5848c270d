import { useEffect, useEffectEvent, useState } from "react";
import { messageOf, PartMissing } from "@/lib/errors";
import { late, reloadOnce } from "@/lib/late";
import { notify } from "@/lib/notify";

type Part<T> = { default: T };

/**
 * Loads a component, or several in an object, when it is first wanted, and returns it; null until it is loaded. If it is missing, the page is
 * reloaded once. If loading fails otherwise, the user sees a message and `onFailure` is called; the next time the
 * component is wanted, it is tried again. Where it is wanted for several reasons, `wanted` names those that there are.
 */
export function usePart<T>(
  wanted: boolean | string,
  load: () => Promise<Part<T>>,
  onFailure: () => void,
): T | null {
  const [part, setPart] = useState<Part<T> | null>(null);
  const tell = useEffectEvent(onFailure);
  useEffect(() => {
    if (!wanted || part) return;
    late(load).then(setPart, (error) => {
      if (error instanceof PartMissing && reloadOnce()) return;
      notify("error", "This could not be opened", messageOf(error));
      tell();
    });
  }, [wanted, part, load]);
  return part?.default ?? null;
}
