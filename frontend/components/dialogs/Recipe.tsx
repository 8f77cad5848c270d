import type { MouseEvent } from "react";
import useSWR from "swr";
import { CopyButton } from "@/components/dialogs/CopyButton";
import { Row } from "@/components/dialogs/Row";
import { ForeignText } from "@/components/ui/ForeignText";
import { messageOf } from "@/lib/errors";
import { type Job, shortName } from "@/lib/job";
import { getJob } from "@/lib/job-calls";
import { isPromptCut, seedOf } from "@/lib/recipe";
import { ALL, viewAddress } from "@/lib/view";

interface Props {
  job: Job;
  /** Opens the details of another job. */
  onOpen: (jobId: string) => void;
}

/** What the video was made by: the prompt, the seed and the job whose video was the source. */
export function Recipe({ job, onOpen }: Props) {
  const { extension_prompt: prompt, source_job_id: source } = job;
  const seed = seedOf(job);
  return (
    <>
      {prompt && <Prompt key={prompt} job={job} listed={prompt} />}
      {seed !== null && (
        <Row name="Seed">
          <span className="font-mono text-xs">{seed}</span>
          <CopyButton name="Seed" text={String(seed)} />
        </Row>
      )}
      {source && (
        <Row name="Made from">
          <a
            href={viewAddress({ ...ALL, details: source })}
            onClick={(event) => {
              if (opensElsewhere(event)) return;
              event.preventDefault();
              onOpen(source);
            }}
            className="text-accent underline underline-offset-4"
          >
            Job {shortName(source)}
          </a>
        </Row>
      )}
    </>
  );
}

/** Whether the browser opens the link in another tab or window. */
function opensElsewhere(event: MouseEvent): boolean {
  return event.ctrlKey || event.metaKey || event.shiftKey;
}

/** The whole prompt, which a list may have cut. */
function Prompt({ job, listed }: { job: Job; listed: string }) {
  const { data, error, mutate } = useSWR(
    isPromptCut(job) ? ["whole job", job.id] : null,
    () => getJob(job.id),
    { revalidateOnFocus: false, shouldRetryOnError: false },
  );
  const text = data?.extension_prompt ?? listed;
  const isWhole = data !== undefined || !isPromptCut(job);
  return (
    <Row name="Prompt">
      <ForeignText text={text} className="flex-1" />
      {isWhole && <CopyButton name="Prompt" text={text} />}
      {error && (
        <p role="alert" className="w-full text-red-300">
          The rest could not be loaded. {messageOf(error)}{" "}
          <button type="button" onClick={() => mutate()} className="font-medium underline underline-offset-4">
            Try again
          </button>
        </p>
      )}
    </Row>
  );
}
