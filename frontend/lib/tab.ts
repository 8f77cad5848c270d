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

const LOOKED_AT = "page-looked-at";

let release: (() => void) | null = null;

/** Lets other tabs know whether this one is looked at. Call it when that may have changed. */
export function noteLook(looked: boolean = isLookedAt()): void {
  if (!looked) {
    release?.();
    release = null;
  } else if (!release) {
    const over = new Promise<void>((resolve) => {
      release = resolve;
    });
    void navigator.locks?.request(LOOKED_AT, { mode: "shared" }, () => over);
  }
}

/** Waits until no tab with this page is looked at. Browsers without locks (Safari before 15.4) do not wait. */
export async function untilNobodyLooks(): Promise<void> {
  await navigator.locks?.request(LOOKED_AT, () => undefined);
}
