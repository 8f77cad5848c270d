import { useEffect, useEffectEvent, useRef } from "react";
import type { Job } from "@/lib/job";
import { renewalTime } from "@/lib/media";
import { serverNow } from "@/lib/server-time";

/** The shortest time between renewals, in milliseconds: with a wrong clock, new URLs may seem to have expired. */
const PAUSE = 60_000;
/** The longest delay that setTimeout supports, in milliseconds; a longer one would fire immediately. */
const LONGEST = 2 ** 31 - 1;

/** While `active`, calls `renew` before the first of the jobs' URLs expires. */
export function useRenewal(jobs: Job[] | undefined, active: boolean, renew: () => void): void {
  const due = renewalTime((jobs ?? []).map((job) => job.media));
  const renewedAt = useRef(0);
  const act = useEffectEvent(() => {
    renewedAt.current = Date.now();
    renew();
  });
  useEffect(() => {
    if (due === null || !active) return;
    const wait = Math.max(due - serverNow(), renewedAt.current + PAUSE - Date.now());
    const timer = setTimeout(() => act(), Math.min(wait, LONGEST));
    return () => clearTimeout(timer);
  }, [due, active]);
}
