/** What a video was made by. */

import type { JobFields } from "@/lib/job";

/** Whether this is only the beginning of the prompt, as lists have it. */
export function isPromptCut({ extension_prompt: prompt }: JobFields): boolean {
  return prompt?.endsWith("…") ?? false;
}

/** Returns the seed, or null if there is none or numbers of this language cannot hold it: it would be another one. */
export function seedOf({ seed }: JobFields): number | null {
  return Number.isSafeInteger(seed) ? (seed as number) : null;
}
