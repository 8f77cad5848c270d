import { useEffect, useEffectEvent, useRef } from "react";
import { ApiError } from "@/lib/errors";
import { INTERVAL, nextDelay, remaining } from "@/lib/polling";
import { SessionEnded } from "@/lib/session";

/**
 * Calls `poll` every ten seconds while `active`, less often after errors. A pause counts: whoever comes back after
 * a minute is served at once, whoever comes back after two seconds waits for the other eight.
 */
export function usePolling(active: boolean, poll: (signal: AbortSignal) => Promise<void>): void {
  const ask = useEffectEvent(poll);
  const last = useRef(0);
  const delay = useRef(INTERVAL);
  const failures = useRef(0);

  useEffect(() => {
    if (!active) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    last.current ||= Date.now();

    const schedule = () => {
      timer = setTimeout(run, remaining(last.current, delay.current, Date.now()));
    };
    const run = async () => {
      last.current = Date.now();
      try {
        await ask(controller.signal);
        failures.current = 0;
        delay.current = INTERVAL;
      } catch (error) {
        if (controller.signal.aborted || error instanceof SessionEnded) return;
        failures.current += 1;
        delay.current = nextDelay(failures.current, error instanceof ApiError ? error.retryAfter : undefined);
      }
      if (!controller.signal.aborted) schedule();
    };
    schedule();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [active]);
}
