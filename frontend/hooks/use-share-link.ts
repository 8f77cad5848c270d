import { useState } from "react";
import { messageOf, SessionEnded } from "@/lib/errors";
import { type Change, type Job, type JobShareResponse, shortName } from "@/lib/job";
import { changeOf, changeShareLink, endShareLink, makeShareLink } from "@/lib/job-calls";
import { notify } from "@/lib/notify";
import { serverNow } from "@/lib/server-time";
import { DAY, formatExact } from "@/lib/time";

/** Makes, limits and ends the job's share link. `onChange` gets what changes. Each returns whether it succeeded. */
export function useShareLink(job: Job, onChange: (change: Change) => void) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const name = shortName(job.id);

  const change = async (request: Promise<JobShareResponse>, tell: (share: JobShareResponse) => string[]) => {
    setBusy(true);
    setFailure(null);
    try {
      const share = await request;
      onChange(changeOf(share));
      const [title = "", description] = tell(share);
      notify("success", title, description);
      return true;
    } catch (error) {
      if (error instanceof SessionEnded) return false;
      setFailure(messageOf(error));
      notify("error", `The link for job ${name} could not be changed`, messageOf(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return {
    busy,
    failure,
    end: () => change(endShareLink(job.id), () => [`The link for job ${name} has ended`]),
    make: () =>
      change(makeShareLink(job.id), ({ share_url }) => [
        `Job ${name} has a new link`,
        ...(share_url ? [share_url] : []),
      ]),
    /** The link ends so many days from now; null for never. */
    limit: (days: number | null) =>
      change(
        changeShareLink(job.id, {
          expires_at: days === null ? null : new Date(serverNow() + days * DAY).toISOString(),
        }),
        ({ expires_at }) =>
          expires_at
            ? [`The link for job ${name} ends on ${formatExact(expires_at)}`]
            : [`The link for job ${name} stays`],
      ),
    showName: (shown: boolean) =>
      change(changeShareLink(job.id, { share_name: shown }), ({ share_name }) => [
        `The share page of job ${name} ${share_name ? "shows" : "no longer shows"} its name`,
      ]),
  };
}
