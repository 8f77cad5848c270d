/** Deleting all jobs. Loaded when it is needed. */

import { call, lookForNewest } from "@/lib/api";
import { ERASED, KEY } from "@/lib/erasing";
import { ApiError, messageOf, SessionEnded, SIGN_IN_TOO_OLD } from "@/lib/errors";
import type { Erasure } from "@/lib/job";
import { ALL } from "@/lib/view";
import { forgetZips } from "@/lib/zip-file";

/** Returns how far the user's last erasure has come, or null if there never was one. */
export async function getErasure(signal?: AbortSignal): Promise<Erasure | null> {
  try {
    return await call("listJobs", "/jobs/erasure", { signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export function noteErasure(userId: string): void {
  try {
    localStorage.setItem(KEY + userId, "yes");
  } catch {
    // The browser has no room. The progress is shown until the page is left.
  }
}

export function forgetErasure(userId: string): void {
  localStorage.removeItem(KEY + userId);
}

/** Tells the page that all jobs are deleted. */
export function tellErased(): void {
  window.dispatchEvent(new Event(ERASED));
}

/** Where the user is on the way to an erasure. */
export type Step =
  | { at: "loading" }
  /** The user is asked. `note` says why once more. */
  | { at: "asking"; jobs: number; note?: string }
  /** The user, who has confirmed it, must sign in again first. */
  | { at: "signing in"; jobs: number }
  | { at: "sending" }
  /** An erasure is accepted, and is being carried out. */
  | { at: "accepted" }
  | { at: "failed"; reason: string };

/** Counts the jobs to ask about, unless an erasure is being carried out already. */
export async function begin(): Promise<Step> {
  return attempt(async () => {
    const [erasure, newest] = await Promise.all([getErasure(), lookForNewest(ALL)]);
    return erasure?.state === "pending" ? { at: "accepted" } : { at: "asking", jobs: newest.total };
  });
}

/**
 * Requests the erasure that the user has confirmed. Once it is accepted, this browser also
 * forgets the videos that it has saved.
 */
export async function send(jobs: number): Promise<Step> {
  return attempt(async () => {
    try {
      await call("deleteJobs", `/jobs?confirm=${jobs}`, { method: "DELETE" });
      await forgetZips();
      return { at: "accepted" };
    } catch (error) {
      if (error instanceof ApiError && error.type === SIGN_IN_TOO_OLD) return { at: "signing in", jobs };
      if (!(error instanceof ApiError && error.status === 409)) throw error;
      // There is another number of jobs now, so the user has to decide again.
      const next = await begin();
      return next.at === "asking" ? { ...next, note: error.message } : next;
    }
  });
}

/** Returns a sentence about why a request was not accepted, or null if it was or the browser is leaving the page. */
export function whatStopped(step: Step): string | null {
  if (step.at === "signing in")
    return "Sign in again first: this needs a sign-in within the last five minutes.";
  if (step.at === "asking") return step.note ?? null;
  return step.at === "failed" ? step.reason : null;
}

async function attempt(act: () => Promise<Step>): Promise<Step> {
  try {
    return await act();
  } catch (error) {
    // When the session ends, the browser leaves the page.
    return error instanceof SessionEnded ? { at: "loading" } : { at: "failed", reason: messageOf(error) };
  }
}

/** What the user must type. */
export const PHRASE = "erase everything";

export function isConfirmed(typed: string): boolean {
  return typed.trim().replace(/\s+/g, " ").toLowerCase() === PHRASE;
}

/** Returns a sentence about the progress, which changes only at the end. */
export function describe({ state, deleted }: Erasure): string {
  if (state === "pending") return "All your jobs are being deleted.";
  if (deleted === 0) return "Everything is erased.";
  return deleted === 1 ? "Your job is deleted." : `All your ${deleted} jobs are deleted.`;
}
