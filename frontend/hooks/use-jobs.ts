import { useEffect, useEffectEvent, useRef, useState } from "react";
import useSWR from "swr";
import { useOnline, useVisible } from "@/hooks/use-environment";
import { usePolling } from "@/hooks/use-polling";
import { getJobs, getJobThumbnails, listJobs } from "@/lib/api";
import { type Counts, isActive, type Job, type JobList, type JobThumbnailsResponse } from "@/lib/job";
import { changedJobs, recount, withoutJobs, withPolledJobs } from "@/lib/list";
import { keepUrls, renewalTime } from "@/lib/media";
import { SessionEnded } from "@/lib/session";
import { isSearchable, type View } from "@/lib/view";

/** Renewed URLs that a browser with a wrong clock takes for old are not asked for more often, in milliseconds. */
const RENEW_PAUSE = 60_000;

export type RenewMedia = (jobId: string) => Promise<JobThumbnailsResponse>;

export interface Jobs {
  /** Undefined until the first answer. */
  list: JobList | undefined;
  counts: Counts | undefined;
  /** Why the last request for the list failed. */
  error: unknown;
  /** Whether the list is being asked for. */
  loading: boolean;
  refresh: () => Promise<void>;
  /** Take jobs out of sight at once; `show` brings them back to their places. */
  hide: (jobIds: string[]) => void;
  show: (jobIds: string[]) => void;
  /** The media of all jobs that were answered, by their ids. */
  thumbnails: Readonly<Record<string, JobThumbnailsResponse>>;
  /** New URLs for one job's media, for when one of them does not work. */
  renewMedia: RenewMedia;
}

/**
 * The page of jobs that `view` is about, kept up to date: active ones are asked about while somebody looks, and
 * signed URLs are renewed in time. `onChange` hears of the jobs that have got another status.
 */
export function useJobs(userId: string, view: View, onChange: (jobs: Job[]) => void): Jobs {
  const { status, page, search } = view;
  const watching = [useVisible(), useOnline()].every(Boolean);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [counts, setCounts] = useState<Counts>();
  const countsAreFresh = useRef(false);
  const cursors = useRef(new Map<string, string>());
  const [thumbnails, setThumbnails] = useState<Record<string, JobThumbnailsResponse>>({});
  const shown = useRef(thumbnails);

  const setMedia = (media: JobThumbnailsResponse[]) => {
    shown.current = { ...shown.current, ...Object.fromEntries(media.map((one) => [one.job_id, one])) };
    setThumbnails(shown.current);
  };
  const learn = (jobs: Job[]) => {
    setMedia(jobs.map((job) => keepUrls(shown.current[job.id], job.media, Date.now())));
    return jobs;
  };

  const key = search === "" || isSearchable(search) ? ["jobs", userId, status, search, page] : null;
  const place = (number: number) => JSON.stringify([status, search, number]);
  const { data, error, isValidating, mutate } = useSWR<JobList>(
    key,
    async () => {
      const withCounts = !countsAreFresh.current;
      countsAreFresh.current = true;
      try {
        const cursor = cursors.current.get(place(page));
        const list = await listJobs({ status, search, page, cursor, counts: withCounts });
        if (list.next_cursor) cursors.current.set(place(page + 1), list.next_cursor);
        if (list.counts) setCounts(list.counts);
        learn(list.jobs);
        return list;
      } catch (failure) {
        countsAreFresh.current = !withCounts;
        throw failure;
      }
    },
    {
      revalidateOnFocus: false,
      revalidateOnReconnect: false,
      shouldRetryOnError: false,
      dedupingInterval: 0,
    },
  );

  const refresh = async () => {
    countsAreFresh.current = false;
    await mutate();
  };

  const all = data?.jobs.map((job) => ({ ...job, media: thumbnails[job.id] ?? job.media }));
  const active = all?.filter((job) => isActive(job) && !hidden.has(job.id)) ?? [];
  // Not beside a request for the list, which has the same jobs in it.
  usePolling(watching && active.length > 0 && !isValidating, async (signal) => {
    const asked = active.map((job) => job.id);
    const answered = learn(await getJobs(asked, signal));
    await mutate((list) => list && withPolledJobs(list, asked, answered), { revalidate: false });
    setCounts((before) => before && recount(before, active, answered));
    const changed = changedJobs(active, answered);
    if (changed.length > 0) onChange(changed);
  });

  const renew = useEffectEvent(() => void mutate());
  const renewedAt = useRef(0);
  const due = all && renewalTime(all.map((job) => job.media));
  useEffect(() => {
    if (due == null || !watching || isValidating) return;
    const timer = setTimeout(
      () => {
        renewedAt.current = Date.now();
        renew();
      },
      Math.max(due - Date.now(), renewedAt.current + RENEW_PAUSE - Date.now(), 0),
    );
    return () => clearTimeout(timer);
  }, [due, watching, isValidating]);

  const left = error instanceof SessionEnded;
  const gone = all?.filter((job) => hidden.has(job.id)) ?? [];
  return {
    list: data && all && withoutJobs({ ...data, jobs: all }, gone),
    counts: counts && recount(counts, gone, []),
    // With the session, the page ends: there is nothing to tell here any more.
    error: left ? undefined : error,
    loading: isValidating || left,
    refresh,
    hide: (jobIds) => setHidden((before) => new Set([...before, ...jobIds])),
    show: (jobIds) => setHidden((before) => new Set([...before].filter((id) => !jobIds.includes(id)))),
    thumbnails,
    renewMedia: async (jobId) => {
      const media = await getJobThumbnails(jobId);
      setMedia([media]);
      return media;
    },
  };
}
