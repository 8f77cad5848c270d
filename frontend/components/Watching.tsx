import { useEffect, useEffectEvent, useRef, useState } from "react";
import { statusLabel } from "@/components/StatusBadge";
import type { Jobs } from "@/hooks/use-jobs";
import { useNow } from "@/hooks/use-now";
import { isActive, type Job, stalledSince } from "@/lib/job";
import { claim, endedSince, heedPermission, iconOf, isNews, showNotification } from "@/lib/notices";
import { serverNow } from "@/lib/server-time";
import { isLookedAt, tabTitle } from "@/lib/tab";
import { isTelling } from "@/lib/telling";
import { formatElapsed, parseTime } from "@/lib/time";
import { durations, noteOn } from "@/lib/usual";

const SEEN = "jobs-seen";
const NONE: Job[] = [];

interface Props {
  jobs: Pick<Jobs, "list" | "details">;
  onOpen: (jobId: string) => void;
}

/** Tells by the tab and by notifications when jobs are done or have failed while nobody looks at the page. */
export function Watch({ jobs: { list, details }, onOpen }: Props) {
  const jobs = list && withOpen(list.jobs, details.job);
  const [unseen, setUnseen] = useState(NONE);
  const before = useRef(NONE);
  /** When this first had a list. */
  const opened = useRef<number>(null);
  const tabs = useRef<BroadcastChannel>(null);

  const look = useEffectEvent(() => {
    setUnseen(NONE);
    // What is seen in one tab is not news in another.
    tabs.current?.postMessage(SEEN);
  });
  const tell = useEffectEvent(async (ended: Job[], before: Job[]) => {
    const news = (await claim(ended, before)).filter(isNews);
    if (isLookedAt()) return look();
    if (news.length === 0) return;
    setUnseen((known) => [...known, ...news]);
    if (isTelling()) for (const job of news) showNotification(job, onOpen);
  });
  useEffect(() => {
    if (!jobs) return;
    durations.note(jobs);
    opened.current ??= serverNow();
    const ended = endedSince(before.current, jobs, opened.current);
    if (ended.length > 0) void tell(ended, before.current);
    before.current = jobs;
  }, [jobs]);

  useEffect(() => {
    const channel = "BroadcastChannel" in window ? new BroadcastChannel(SEEN) : null;
    tabs.current = channel;
    const change = () => {
      if (isLookedAt()) look();
    };
    channel?.addEventListener("message", () => setUnseen(NONE));
    window.addEventListener("focus", change);
    document.addEventListener("visibilitychange", change);
    return () => {
      tabs.current = null;
      channel?.close();
      window.removeEventListener("focus", change);
      document.removeEventListener("visibilitychange", change);
    };
  }, []);

  useEffect(heedPermission, []);

  return <Tab ended={unseen} jobs={jobs ?? NONE} />;
}

/** Returns the jobs of the list and the one whose details are open, which the list need not have. */
function withOpen(listed: Job[], open: Job | null | undefined): Job[] {
  return open && listed.every(({ id }) => id !== open.id) ? [...listed, open] : listed;
}

/** Gives the tab its title and its icon. */
function Tab({ ended, jobs }: { ended: Job[]; jobs: Job[] }) {
  const now = useNow();
  const [own] = useState(() => document.title);
  const [job, another] = jobs.filter((one) => isActive(one) && stalledSince(one, now) === null);
  const since = job && !another ? parseTime(job.created_at) : null;
  const elapsed = job && since !== null ? `${statusLabel(job.status)} ${formatElapsed(now - since)}` : null;
  const title = tabTitle(own, ended, elapsed);
  useEffect(() => {
    document.title = title;
    return () => {
      document.title = own;
    };
  }, [title, own]);

  const icon = ended.length > 0 ? iconOf(ended.some((one) => one.status === "failed")) : null;
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (!link || !icon) return;
    const plain = link.href;
    link.href = icon;
    return () => {
      link.href = plain;
    };
  }, [icon]);
  return null;
}

/** How long jobs of this kind usually take, or that this one takes longer or has stalled. */
export function ClockNote({ job }: { job: Job }) {
  const note = noteOn(job, durations.of(job), useNow());
  return note && <p className={`text-xs ${note.late ? "text-amber-200" : "text-muted"}`}>{note.text}</p>;
}
