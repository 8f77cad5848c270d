import { useEffect, useState } from "react";
import { useOnline, useVisible } from "@/hooks/use-environment";
import { late } from "@/lib/late";

/** Loads what tells of jobs in progress: no list without them needs it. */
const loadWatching = () => import("@/components/Watching");

type Watching = Awaited<ReturnType<typeof loadWatching>>;

/** How long after the cards it is loaded, in milliseconds: their pictures come first. */
const PAUSE = 1000;

let loaded: Watching | null = null;

/**
 * Loads it when it is first wanted, and returns it. Without it the page lacks notices and nothing else, so it is tried again
 * when the page is hidden or shown and when the connection is back.
 */
export function useWatching(wanted: boolean): Watching | null {
  const [watching, setWatching] = useState(loaded);
  const [visible, online] = [useVisible(), useOnline()];
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of these is a reason to try again
  useEffect(() => {
    if (!wanted || watching) return;
    const keep = (module: Watching) => {
      loaded = module;
      setWatching(module);
    };
    const timer = setTimeout(() => late(loadWatching).then(keep, () => undefined), PAUSE);
    return () => clearTimeout(timer);
  }, [wanted, watching, visible, online]);
  return watching;
}
