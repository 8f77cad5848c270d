import { useEffect, useEffectEvent, useRef } from "react";
import type { Job } from "@/lib/job";
import { renewalTime } from "@/lib/media";

/** Renewed URLs that a browser with a wrong clock takes for old are not asked for more often, in milliseconds. */
const PAUSE = 60_000;
/** The longest time that a browser can wait for, in milliseconds; longer ones would not be waited for at all. */
const LONGEST = 2 ** 31 - 1;

/** Calls `renew` before the first URL of the jobs expires, while `active`. */
export function useRenewal(jobs: Job[] | undefined, active: boolean, renew: () => void): void {
  const due = renewalTime((jobs ?? []).map((job) => job.media));
  const renewedAt = useRef(0);
  const act = useEffectEvent(() => {
    renewedAt.current = Date.now();
    renew();
  });
  useEffect(() => {
    if (due === null || !active) return;
    const wait = Math.max(due, renewedAt.current + PAUSE) - Date.now();
    const timer = setTimeout(() => act(), Math.min(wait, LONGEST));
    return () => clearTimeout(timer);
  }, [due, active]);
}
