import { useSyncExternalStore } from "react";

/** One clock for all that shows time: it ticks each second, while anybody looks at it. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = 0;

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const tick of listeners) tick();
    }, 1000);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/** Milliseconds since 1970, anew each second; in steps of `step` milliseconds for what changes less often. */
export function useNow(step = 1000): number {
  return useSyncExternalStore(
    subscribe,
    () => (now || Date.now()) - ((now || Date.now()) % step),
    () => 0,
  );
}
