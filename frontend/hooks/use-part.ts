import { type ComponentType, useEffect, useEffectEvent, useState } from "react";
import { messageOf, PartMissing } from "@/lib/errors";
import { late, reloadOnce } from "@/lib/late";
import { notify } from "@/lib/notify";

type Part<Props> = { default: ComponentType<Props> };

/**
 * Loads a component when it is first wanted, and returns it; null until it is loaded. If it is missing, the page is
 * reloaded once. If loading fails otherwise, the user sees a message and `onFailure` is called; the next time the
 * component is wanted, it is tried again.
 */
export function usePart<Props>(
  wanted: boolean,
  load: () => Promise<Part<Props>>,
  onFailure: () => void,
): ComponentType<Props> | null {
  const [part, setPart] = useState<Part<Props> | null>(null);
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
