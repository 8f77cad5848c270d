/** React's hooks for tests without a browser: state and references are kept, and effects run at once. */

interface Slot {
  value?: unknown;
  reasons?: unknown[] | undefined;
  end?: unknown;
}

const slots: Slot[] = [];
let next = 0;
/** How often any state was set. */
export const changes = { count: 0 };

export function forget(): void {
  slots.length = 0;
  changes.count = 0;
}

/** Draws a component, or calls a hook, once more. */
export function drawn<T>(draw: () => T): T {
  next = 0;
  return draw();
}

function slot(first: () => unknown): Slot {
  const number = next++;
  slots[number] ??= { value: first() };
  return slots[number];
}

const resolved = (given: unknown, ...before: unknown[]): unknown =>
  typeof given === "function" ? given(...before) : given;

export const hooks = {
  useState: (first: unknown) => {
    const kept = slot(() => resolved(first));
    const set = (value: unknown) => {
      changes.count += 1;
      kept.value = resolved(value, kept.value);
    };
    return [kept.value, set];
  },
  useRef: (first: unknown) => slot(() => ({ current: first })).value,
  useEffect: (effect: () => unknown, reasons?: unknown[]) => {
    const kept = slot(() => undefined);
    const before = kept.reasons;
    if (before && reasons?.every((reason, place) => Object.is(reason, before[place]))) return;
    resolved(kept.end);
    kept.reasons = reasons;
    kept.end = effect();
  },
  useEffectEvent: (act: unknown) => act,
};
