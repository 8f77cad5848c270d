import { ButtonLink } from "@/components/ui/Button";
import { type Job, shortName } from "@/lib/job";
import { settings } from "@/lib/settings";

/** What can be done about a failed job, as far as this deployment has places for it. */
export function FailureHelp({ job }: { job: Job }) {
  const { createUrl, supportUrl } = settings;
  const id = encodeURIComponent(job.id);
  const name = shortName(job.id);
  return (
    <>
      {createUrl && (
        <ButtonLink href={`${createUrl}?from=${id}`} aria-label={`Try again: a new video like job ${name}`}>
          Try again
        </ButtonLink>
      )}
      {supportUrl && (
        <ButtonLink href={supportUrl + id} aria-label={`Get help with job ${name}`}>
          Get help
        </ButtonLink>
      )}
    </>
  );
}
