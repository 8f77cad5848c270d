import { useEffect, useRef, useState } from "react";
import useSWR from "swr";
import { useCounts } from "@/hooks/use-counts";
import { type Details, useDetails } from "@/hooks/use-details";
import { useAsks, useOnline, useVisible } from "@/hooks/use-environment";
import { usePolling } from "@/hooks/use-polling";
import { useRenewal } from "@/hooks/use-renewal";
import { useReturn } from "@/hooks/use-return";
import { getJobs, getJobThumbnails, listJobs, lookForNewest, PAGE_SIZE } from "@/lib/api";
import { ApiError, SessionEnded } from "@/lib/errors";
import {
  type Change,
  type Counts,
  changedJobs,
  type FoundList,
  isActive,
  type Job,
  type JobFields,
  type JobThumbnailsResponse,
} from "@/lib/job";
import { reloadUnseen } from "@/lib/late";
import {
  arrivals,
  contradicts,
  countedTotal,
  type Dropped,
  isOutdated,
  LARGEST_PAGE,
  leftBetween,
  movedApart,
  newestOf,
  recount,
  recountPolled,
  roomFor,
  withChange,
  withChanges,
  withoutJobs,
  withPolledJob,
  withPolledJobs,
  withTotal,
} from "@/lib/list";
import { broughtBy, keepUrls, type TileKind, withRenewed } from "@/lib/media";
import { isOld, patient, pollsOf, slowing, unasked } from "@/lib/polling";
import type { JobId } from "@/lib/selection";
import { serverNow } from "@/lib/server-time";
import { placeOf, type View, waysToSearch } from "@/lib/view";

const NEVER = { place: "", at: 0, newest: 0 };

export type RenewMedia = (jobId: string, kind: TileKind) => Promise<JobThumbnailsResponse>;

export interface Jobs {
  /** Undefined until the first response. */
  list: FoundList | undefined;
  counts: Counts | undefined;
  details: Details;
  /** Why the list may be out of date; undefined if nothing failed. */
  error: unknown;
  /** Whether the list is loading. */
  loading: boolean;
  /** How often the list has been loaded. */
  loads: number;
  /** Ids of jobs that have appeared at the top of the list while it was shown. */
  arrived: ReadonlySet<string>;
  /** Whether it is known that no job matches. If there are jobs but none on this page, another page is loading. */
  none: boolean;
  /** Whether this page lies beyond the last job. */
  beyondTheEnd: boolean;
  refresh: () => Promise<void>;
  /** Hides jobs while they are being deleted; `show` brings them back to their places. */
  hide: (jobs: JobFields[]) => void;
  show: (job: JobFields) => void;
  /** Removes a deleted job until it is `restored`. */
  drop: (job: JobFields) => void;
  /** Whether the job is known to be deleted, or is being deleted. */
  isGone: (job: JobId) => boolean;
  /** Whether the job is being deleted here. */
  isLeaving: (job: JobId) => boolean;
  /** Takes back `drop`. `counted` says whether the counts contain the jobs already. */
  restored: (jobs: JobFields[], counted: boolean) => void;
  /** Applies what the user has changed about a job. */
  amend: (change: Change) => void;
  /** The media of all loaded jobs, by job id. */
  thumbnails: Readonly<Record<string, JobThumbnailsResponse>>;
  /** Gets new URLs for a tile whose URLs do not work: those of a load under way, or its own. The job's other URLs stay. */
  renewMedia: RenewMedia;
}

interface Events {
  /** Jobs whose status has changed. */
  onChange: (jobs: Job[]) => void;
  /** Jobs that have appeared at the top of the list. */
  onArrival: (jobs: Job[]) => void;
}

/**
 * Returns the page of jobs that `view` selects and keeps it up to date while it is visible: it polls for active jobs,
 * looks for new ones, loads the list again when the user comes back, and renews signed URLs before they expire.
 */
export function useJobs(userId: string, view: View, { onChange, onArrival }: Events): Jobs {
  const { page, search } = view;
  const [visible, online, asking] = [useVisible(), useOnline(), useAsks()];
  const [deleting, setDeleting] = useState<JobFields[]>([]);
  const [deleted, setDeleted] = useState<ReadonlySet<string>>(new Set());
  /** When each of them was, and in which list. One that was asked for later and has it tells that it was restored elsewhere. */
  const dropped = useRef(new Map<string, Dropped>());
  /** How many jobs each list had when they were last counted, and when that was asked. */
  const totals = useRef(new Map<string, { total: number; at: number }>());
  const [counts, setCounts] = useState<Counts>();
  /** The counts as they are now, for a load that began before, and the jobs being deleted, which they still contain. */
  const known = useRef({ counts, deleting });
  useEffect(() => {
    known.current = { counts, deleting };
  });
  const [loads, setLoads] = useState(0);
  /** When and why the last load of each place failed. SWR forgets it when a poll changes the list. */
  const [failures, setFailures] = useState<Readonly<Record<string, { at: number; error: unknown }>>>({});
  /** The list, when it was last asked for or would have been. */
  const tried = useRef(unasked());
  /** The last load of each place, and how many loads are under way. */
  const latest = useRef(new Map<string, symbol>());
  const underWay = useRef(0);
  /** The answer to the last load of any place, or to the one under way. */
  const answer = useRef<Promise<FoundList>>(undefined);
  const [thumbnails, setThumbnails] = useState<Record<string, JobThumbnailsResponse>>({});
  const shown = useRef(thumbnails);
  /** The request that loads or loaded the counts. One is enough for all filters and pages. */
  const countedBy = useRef<symbol | null>(null);
  /** The loaded pages by their places. A first page that new jobs have come to is longer than others. */
  const pages = useRef(new Map<string, FoundList>());
  const asked = useRef(unasked());
  const looked = useRef(unasked());
  /** The last successful load of the list: its place and time, and when the newest job it has had was created. */
  const loaded = useRef(NEVER);
  /** The time of the load that brought a list of which a look has found that it is no longer right. */
  const outdated = useRef<number>(undefined);
  const [arrived, setArrived] = useState<ReadonlySet<string>>(new Set());
  const room = useRef(PAGE_SIZE);
  /** Changes since the last poll was asked. Its answer may have been read before they were saved. */
  const changes = useRef<Change[]>([]);

  const setMedia = (media: JobThumbnailsResponse[]) => {
    shown.current = { ...shown.current, ...Object.fromEntries(media.map((one) => [one.job_id, one])) };
    setThumbnails(shown.current);
  };
  const learn = (jobs: Job[]) => {
    setMedia(jobs.map((job) => keepUrls(shown.current[job.id], job.media, serverNow())));
    return jobs;
  };

  const takeBack = (jobs: JobFields[], counted: boolean) => {
    const ids = jobs.map((job) => job.id);
    for (const id of ids) if (dropped.current.delete(id)) totals.current.delete(whole);
    setDeleted((before) => new Set([...before].filter((id) => !ids.includes(id))));
    if (!counted) setCounts((before) => before && recount(before, [], jobs));
  };

  const noteGone = (jobs: JobFields[]) => {
    const gone: Dropped = { at: Date.now(), list: whole };
    for (const { id } of jobs) dropped.current.set(id, gone);
    setDeleted((before) => new Set([...before, ...jobs.map((job) => job.id)]));
  };

  const shows = !view.deleted && (search === "" || waysToSearch(view).length > 0);
  const place = placeOf(view);
  /** All pages of the list. */
  const whole = placeOf({ ...view, page: 1 });
  const key = shows ? ["jobs", userId, place] : null;
  const { data, error, isValidating, mutate } = useSWR<FoundList>(
    key,
    async () => {
      const at = Date.now();
      for (const { current } of [asked, looked, tried]) current.at = at;
      const request = Symbol();
      latest.current.set(place, request);
      underWay.current += 1;
      countedBy.current ??= request;
      const counting = () => countedBy.current === request;
      try {
        const after = pages.current.get(placeOf({ ...view, page: page - 1 }));
        const size = loaded.current.place === place ? room.current : PAGE_SIZE;
        room.current = size;
        answer.current = listJobs({ view, size, after, counts: counting() });
        const found = await answer.current;
        const total = countedTotal(found, view) ?? (after?.next_cursor ? null : found.total);
        if (total !== null) totals.current.set(whole, { at, total });
        const { at: from, total: counted } = totals.current.get(whole) ?? { at, total: found.total };
        const left = leftBetween(from, at, whole, dropped.current.values());
        const list = total === null ? withTotal(found, counted - left) : { ...found, total };
        pages.current.set(place, list);
        // The functions answer again.
        for (const { current } of [asked, looked, tried]) current.failures = 0;
        // If a later request asks for the counts too, its newer counts are used instead.
        if (list.counts && counting()) setCounts(list.counts);
        // Counts that are older than the list may contradict it. With the list that is loaded then, new ones come.
        const isLatest = latest.current.get(place) === request;
        if (isLatest && !list.counts && contradicts(list, known.current, view))
          setTimeout(() => void reload());
        learn(list.jobs);
        setLoads((number) => number + 1);
        const newest = loaded.current.place === place ? loaded.current.newest : null;
        // In another order, those that move up when others are deleted may be newer too.
        if (newest !== null && page === 1 && !view.oldest && !search) {
          const fresh = arrivals(newest, list.jobs);
          setArrived(new Set(fresh.map((job) => job.id)));
          if (fresh.length > 0) onArrival(fresh);
        }
        loaded.current = { place, at, newest: Math.max(newest ?? 0, newestOf(list.jobs)) };
        const back = list.jobs.filter((job) => (dropped.current.get(job.id)?.at ?? at) < at);
        if (back.length > 0) takeBack(back, list.counts !== undefined);
        if (isLatest) setFailures(({ [place]: _, ...others }) => others);
        return list;
      } catch (error) {
        if (counting()) countedBy.current = null;
        if (latest.current.get(place) === request) {
          loaded.current = { ...loaded.current, at: 0 };
          setFailures((others) => ({ ...others, [place]: { at: Date.now(), error } }));
        }
        reloadUnseen(error);
        throw error;
      } finally {
        underWay.current -= 1;
      }
    },
    // useReturn decides when the list is loaded again.
    {
      revalidateOnFocus: false,
      revalidateOnReconnect: false,
      shouldRetryOnError: false,
      dedupingInterval: 0,
    },
  );
  const reload = () => {
    countedBy.current = null;
    return mutate();
  };

  useCounts(userId, view.deleted && !counts, setCounts);

  const all = data?.jobs.map((job) => ({ ...job, media: thumbnails[job.id] ?? job.media }));
  const pending = isValidating && !all;
  const {
    update: updateDetails,
    loaded: loadedJob,
    ...details
  } = useDetails(userId, view.details, all ?? [], pending, learn);
  const leaving = new Set(deleting.map((job) => job.id));
  const isLeaving = (job: JobId) => leaving.has(job.id);
  const isGone = (job: JobId) => deleted.has(job.id) || isLeaving(job);
  const watched = all?.filter((job) => isActive(job) && !isGone(job)) ?? [];
  const apart = loadedJob && isActive(loadedJob) ? [loadedJob] : [];
  // Nothing is asked while the list loads, because it contains the same jobs, during a deletion, which changes the
  // counts too, or in a hidden page, unless its user wants to be told.
  const mayAsk = online && asking && deleting.length === 0;
  const calm = mayAsk && !isValidating;
  const active = [...apart, ...watched].slice(0, LARGEST_PAGE);
  const { polled: polledAfter, pace } = pollsOf(active, visible);
  const pollFailure = usePolling(calm && active.length > 0, asked, pace, async (signal, answers) => {
    const polled = [...new Set([...apart, ...polledAfter(answers)])];
    const ids = polled.map((job) => job.id);
    changes.current = [];
    const answered = withChanges(learn(await getJobs(ids, signal)), changes.current);
    const now = await mutate((list) => list && withPolledJobs(list, ids, answered), { revalidate: false });
    const listed = polled.filter((job) => watched.includes(job));
    const beside = polled.filter((job) => apart.includes(job));
    noteGone(listed.filter((job) => answered.every(({ id }) => id !== job.id)));
    updateDetails((job) => withPolledJob(job, ids, answered));
    setCounts((before) => before && recountPolled(before, listed, answered));
    const changed = changedJobs(polled, answered);
    if (changed.length > 0) onChange(changed);
    // All of its jobs were deleted elsewhere, and others move up.
    const emptied = now && now.jobs.length === 0 && now.total > 0 && page === 1;
    if (emptied || movedApart(beside, answered) || outdated.current === loaded.current.at) void reload();
  });
  // New jobs appear on the first page. A search is in order of ids, so they may be on any of its pages.
  const lookable = calm && data !== undefined && page === 1 && search === "";
  const lookFailure = usePolling(lookable, looked, slowing, async (signal) => {
    const newest = await lookForNewest(view, signal);
    if (!data || !isOutdated(data, newest, view)) return;
    // The oldest come first only where new jobs come last.
    if (!view.oldest) room.current = roomFor(data, newest);
    // From a list of some statuses, jobs that have ended are gone once it is loaded. The next poll tells of them first.
    if (view.statuses.length > 0 && pace !== slowing) outdated.current = loaded.current.at;
    else void reload();
  });
  const failure = failures[place];
  // A visible page without a list has a button that asks again, and its user.
  const behind = failure !== undefined && (data !== undefined || !visible);
  usePolling(behind && mayAsk, tried, patient, async () => {
    if (failure?.error instanceof ApiError && Date.now() - failure.at < (failure.error.retryAfter ?? 0))
      return;
    await reload();
  });
  useReturn(() => {
    const now = Date.now();
    if (isValidating || !isOld(loaded.current.at, now)) return;
    // The list contains what a poll would ask for. A browser may tell of one return by several events.
    asked.current.at = now;
    loaded.current = { ...loaded.current, at: now };
    details.retry();
    void reload();
  });
  useRenewal(all, visible && online && !isValidating, () => void mutate());

  const sessionEnded = error instanceof SessionEnded;
  return {
    list: data && all && withoutJobs({ ...data, jobs: all }, all.filter(isGone)),
    counts: counts && recount(counts, deleting, []),
    details,
    // When the session ends, the browser leaves the page, so there is no error to show.
    error: sessionEnded ? undefined : (failure?.error ?? pollFailure ?? lookFailure),
    loading: isValidating || sessionEnded,
    loads,
    arrived,
    none: !(shows || view.deleted) || (data?.total === 0 && !isValidating),
    beyondTheEnd: data !== undefined && data.jobs.length === 0 && data.total > 0 && page > 1,
    refresh: async () => {
      room.current = PAGE_SIZE;
      await reload();
    },
    hide: (jobs) => setDeleting((before) => [...before, ...jobs]),
    show: (job) => setDeleting((before) => before.filter((one) => one.id !== job.id)),
    drop: (job) => {
      setDeleting((before) => before.filter((one) => one.id !== job.id));
      noteGone([job]);
      setCounts((before) => before && recount(before, [job], []));
    },
    isGone,
    isLeaving,
    restored: takeBack,
    amend: (change) => {
      changes.current.push(change);
      // SWR drops the answers to loads that are under way, so the list is then loaded again.
      void mutate((list) => list && { ...list, jobs: withChanges(list.jobs, [change]) }, {
        revalidate: () => underWay.current > 0,
      });
      updateDetails((job) => withChange(job, change));
    },
    thumbnails,
    renewMedia: async (jobId, kind) => {
      const drawn = thumbnails[jobId];
      const brought = await broughtBy(answer.current, kind, drawn, () => shown.current[jobId]);
      if (brought) return brought;
      const answered = await getJobThumbnails(jobId);
      const kept = keepUrls(shown.current[jobId], answered, serverNow());
      setMedia([withRenewed(kept, answered, kind)]);
      return answered;
    },
  };
}
