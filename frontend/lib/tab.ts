/** What the tab says while nobody looks at the page. */

import type { JobFields } from "@/lib/job";

/** Returns the title after these jobs have ended, such as "✓ 2 done, ✗ 1 failed · Jobs". */
export function tabTitle(title: string, ended: JobFields[], elapsed: string | null): string {
  const failed = ended.filter((job) => job.status === "failed").length;
  const done = ended.length - failed;
  const news = [done > 0 && `✓ ${done} done`, failed > 0 && `✗ ${failed} failed`].filter(Boolean).join(", ");
  return [news || elapsed, title].filter(Boolean).join(" · ");
}

/** Whether the user has this page before them. A visible page may be behind another window. */
export function isLookedAt(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}
