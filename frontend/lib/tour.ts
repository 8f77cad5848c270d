/** The order in which the jobs' media are looked through. */

import { type Job, shortName } from "@/lib/job";
import { originalUrl, TILE_NAMES, type TileKind, tileKinds } from "@/lib/media";

/** One medium of a job, or all of them side by side. */
export type Scene = TileKind | "ALL";

export interface Stop {
  job: Job;
  scene: Scene;
}

/** 1 is forward, -1 is back. */
export type Step = 1 | -1;

/** Returns what there is to see of a job. A source and an output can also be seen side by side. */
export function scenesOf(job: Job): Scene[] {
  const kinds = tileKinds(job).filter((kind) => originalUrl(job.media, kind) !== null);
  return kinds.includes("SRC") && kinds.includes("OUTPUT") ? [...kinds, "ALL"] : kinds;
}

/** Returns, for example, "Output video of job 70eb9a0a". */
export function titleOfScene(job: Job, scene: Scene): string {
  const name = scene === "ALL" ? "media side by side" : TILE_NAMES[scene];
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} of job ${shortName(job.id)}`;
}

/** Returns the medium before or after this one, which may be the next job's, or null at the end of the jobs. */
export function nextMedium(jobs: Job[], stop: Stop, step: Step): Stop | null {
  if (stop.scene === "ALL") return nextJob(jobs, stop, step);
  const stops = jobs.flatMap((job) => scenesOf(job).map((scene) => ({ job, scene })));
  const media = stops.filter(({ scene }) => scene !== "ALL");
  const place = media.findIndex(({ job, scene }) => job.id === stop.job.id && scene === stop.scene);
  return place === -1 ? null : (media[place + step] ?? null);
}

/** Returns the same scene of the next job that has it, or null if there is none in this direction. */
export function nextJob(jobs: Job[], { job, scene }: Stop, step: Step): Stop | null {
  const place = jobs.findIndex(({ id }) => id === job.id);
  if (place === -1) return null;
  const others = step === 1 ? jobs.slice(place + 1) : jobs.slice(0, place).reverse();
  const next = others.find((other) => scenesOf(other).includes(scene));
  return next ? { job: next, scene } : null;
}

/** Returns what to look at when this job is deleted, or null if there is nothing like it. */
export function afterDeletion(jobs: Job[], stop: Stop): Stop | null {
  return nextJob(jobs, stop, 1) ?? nextJob(jobs, stop, -1);
}

/** How far a finger has to move to the side, in CSS pixels. */
const SWIPE = 50;

/** Returns where a finger's movement leads: to the left is forward. Null if it is short, or rather up or down. */
export function swiped(right: number, down: number): Step | null {
  if (Math.abs(right) < SWIPE || Math.abs(right) < 2 * Math.abs(down)) return null;
  return right < 0 ? 1 : -1;
}
