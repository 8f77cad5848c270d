import { type RefObject, useEffect, useEffectEvent, useState } from "react";
import { type Asked, keepAsking, type Pace } from "@/lib/polling";

/**
 * Calls `poll` at this `pace` while `active`, and less often after errors. Time since the last request, which `asked`
 * tells, counts, also while inactive: with ten seconds between two polls, the page polls immediately after a minute away,
 * and after two seconds it waits for the remaining eight. Returns the error after two failures in a row.
 */
export function usePolling(
  active: boolean,
  asked: RefObject<Asked>,
  pace: Pace,
  poll: (signal: AbortSignal, answers: number) => Promise<void>,
): unknown {
  const ask = useEffectEvent(poll);
  const [failure, setFailure] = useState<unknown>();

  useEffect(() => {
    if (!active) return;
    const stop = keepAsking({
      ask: (signal, answers) => ask(signal, answers),
      pace,
      asked: asked.current,
      onFailure: setFailure,
    });
    return () => {
      stop();
      // The list now loads instead and reports its own errors. There may be nothing to poll for after it.
      setFailure(undefined);
    };
  }, [active, asked, pace]);
  return failure;
}
