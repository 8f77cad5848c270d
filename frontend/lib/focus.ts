export const TITLE_ID = "jobs-title";

/** Returns the element id of a job's card. */
export function cardId(jobId: string): string {
  return `job-${jobId}`;
}

/** Call this before the focused element disappears. */
export function focusTitle(): void {
  document.getElementById(TITLE_ID)?.focus({ preventScroll: true });
}
