import { useState } from "react";
import { endShareLink, makeShareLink } from "@/lib/api";
import { messageOf, SessionEnded } from "@/lib/errors";
import { type Job, type JobShareResponse, shortName } from "@/lib/job";
import { notify } from "@/lib/notify";

/** Makes and ends the job's share link. `onChange` gets the response. */
export function useShareLink(job: Job, onChange: (share: JobShareResponse) => void) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const name = shortName(job.id);

  const change = async (request: (jobId: string) => Promise<JobShareResponse>) => {
    setBusy(true);
    setFailure(null);
    try {
      const share = await request(job.id);
      const { share_url } = share;
      onChange(share);
      if (share_url) notify("success", `Job ${name} has a new link`, share_url);
      else notify("success", `The link for job ${name} has ended`);
    } catch (error) {
      if (error instanceof SessionEnded) return;
      setFailure(messageOf(error));
      notify("error", `The link for job ${name} could not be changed`, messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, end: () => change(endShareLink), make: () => change(makeShareLink) };
}
