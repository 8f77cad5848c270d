import { shortName } from "@/lib/job";
import type { JobId } from "@/lib/selection";

/** How many jobs a message names. The ids of more would push its button off the screen. */
const NAMED = 5;

/** Returns the short ids of the jobs for a message: of the first few, and how many more there are. */
export function namesOf(jobs: JobId[]): string {
  const named = jobs
    .slice(0, NAMED)
    .map((job) => shortName(job.id))
    .join(", ");
  return jobs.length > NAMED ? `${named} and ${jobs.length - NAMED} more` : named;
}

/** Returns the name that a text field asks for: null, which is none, if the field is blank. */
export function enteredName(text: string): string | null {
  return text.trim() || null;
}
