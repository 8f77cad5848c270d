import { type ComponentType, useEffect, useEffectEvent, useState } from "react";
import { NetworkError } from "@/lib/errors";
import { notify } from "@/lib/notify";

type Part<Props> = { default: ComponentType<Props> };

/**
 * A component that is loaded once it is wanted; null until then. Where it cannot be loaded, the user is told, and
 * `onFailure` is called; the next time that it is wanted it is tried again.
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
    load().then(setPart, () => {
      notify("error", "That could not be opened", new NetworkError().message);
      tell();
    });
  }, [wanted, part, load]);
  return part?.default ?? null;
}
