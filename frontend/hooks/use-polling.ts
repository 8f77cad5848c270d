import { type RefObject, useEffect, useEffectEvent, useRef, useState } from "react";
import { ApiError, SessionEnded } from "@/lib/errors";
import { INTERVAL, nextDelay, remaining } from "@/lib/polling";

/**
 * Calls `poll` while `active`: ten seconds after `asked`, which is the time of the last request in milliseconds since
 * 1970, and less often after errors. Time spent inactive counts: after a minute away the page polls immediately, after
 * two seconds it waits for the remaining eight. Returns the error after two failures in a row.
 */
export function usePolling(
  active: boolean,
  asked: RefObject<number>,
  poll: (signal: AbortSignal) => Promise<void>,
): unknown {
  const ask = useEffectEvent(poll);
  const delay = useRef(INTERVAL);
  const failures = useRef(0);
  const [failure, setFailure] = useState<unknown>();

  useEffect(() => {
    if (!active) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout>;

    const schedule = () => {
      timer = setTimeout(run, remaining(asked.current, delay.current, Date.now()));
    };
    const run = async () => {
      asked.current = Date.now();
      try {
        await ask(controller.signal);
        failures.current = 0;
        delay.current = INTERVAL;
        setFailure(undefined);
      } catch (error) {
        if (controller.signal.aborted || error instanceof SessionEnded) return;
        failures.current += 1;
        delay.current = nextDelay(failures.current, error instanceof ApiError ? error.retryAfter : undefined);
        if (failures.current > 1) setFailure(error);
      }
      if (!controller.signal.aborted) schedule();
    };
    schedule();
    return () => {
      controller.abort();
      clearTimeout(timer);
      // The list now loads instead and reports its own errors. There may be nothing to poll for after it.
      setFailure(undefined);
    };
  }, [active, asked]);
  return failure;
}
