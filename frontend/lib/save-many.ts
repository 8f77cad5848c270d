/** Saves the videos of many jobs, straight from Cloud Storage and never whole in memory, with a list of them. */

import { fewAtOnce, keepingPage, patiently } from "@/lib/bulk";
import { messageOf, NetworkError, SessionEnded } from "@/lib/errors";
import { type JobFields, shortName } from "@/lib/job";
import { getJob } from "@/lib/job-calls";
import { isPromptCut, seedOf } from "@/lib/recipe";
import { openVideo, persistently } from "@/lib/video-stream";

/** Where files are saved. */
export interface Target {
  /** How many files may be written at the same time. */
  atOnce: number;
  /** Returns the size in bytes of a file that is there already; null if there is none. */
  sizeOf: (name: string) => Promise<number | null>;
  /** Returns the text of a file that is there already; null if there is none. */
  textOf: (name: string) => Promise<string | null>;
  /** Writes a file. Afterwards either all of it is there, or nothing. Throws TargetLost if no other can be written. */
  write: (name: string, content: ReadableStream<Uint8Array<ArrayBuffer>>) => Promise<void>;
  /**
   * Adds the list of the jobs under its name and ends the saving. If it was cancelled, only files that can be had singly
   * stay. Returns whether what was written stays. If the target is lost, throws what it was lost by.
   */
  end: (list: File, cancelled: boolean) => Promise<boolean>;
}

/** Nothing can be written any more. The cause is what happened. */
export class TargetLost extends Error {}

/** What there is to tell while videos are saved. */
export interface Progress {
  done: number;
  total: number;
  /** How much was received. */
  bytes: number;
}

interface Problem {
  job: JobFields;
  reason: string;
}

/** How a saving has ended. */
export interface Saved {
  /** How many videos are where the user wants them. */
  saved: number;
  problems: Problem[];
  /** Whether `signal` was aborted before all was written. */
  cancelled: boolean;
}

/** One job in the list that is saved beside the videos. */
interface Listed {
  id: string;
  name: string | null;
  /** Null if the video was not saved; `problem` says why. */
  file: string | null;
  bytes: number | null;
  /** As Cloud Storage states them: the checksums of the video, in base64. */
  checksums: Record<string, string>;
  problem: string | null;
  [more: string]: unknown;
}

export const LIST = "jobs.json";

/**
 * Saves the jobs' videos and a list of all these jobs, in which those that were saved earlier stay. A file that is there
 * with the right size, or as the list tells if Cloud Storage tells no size, is not saved again. No other is replaced: what
 * would take its name gets a number. Throws SessionEnded, and the target's error if it cannot be ended. Once `signal` is
 * aborted, what is under way ends, and the list tells what was saved.
 */
export async function saveMany(
  jobs: JobFields[],
  target: Target,
  progress: Progress,
  signal: AbortSignal,
): Promise<Saved> {
  /** Aborted with `signal`, or when the target is lost. */
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(signal.reason));
  if (signal.aborted) stop.abort(signal.reason);
  const names = new Set([LIST]);
  const listed = new Map<string, Listed>();
  const problems: Problem[] = [];
  await fewAtOnce(
    jobs,
    async (job) => {
      if (stop.signal.aborted) return;
      try {
        listed.set(job.id, await saveOne(job, target, names, progress, stop.signal));
      } catch (error) {
        if (error instanceof SessionEnded) throw error;
        if (error instanceof TargetLost) stop.abort(error);
        if (stop.signal.aborted) return;
        problems.push({ job, reason: reasonOf(error) });
        if (isOfAll(error)) stop.abort(error);
      }
      progress.done += 1;
    },
    target.atOnce,
  );
  const { reason } = stop.signal;
  if (isOfAll(reason) && !signal.aborted) {
    const known = new Set([...listed.keys(), ...problems.map(({ job }) => job.id)]);
    const rest = jobs.filter((job) => !known.has(job.id));
    problems.push(...rest.map((job) => ({ job, reason: reasonOf(reason) })));
  }
  const reasons = new Map(problems.map(({ job, reason }) => [job.id, reason]));
  const all = jobs.map(
    (job) => listed.get(job.id) ?? describe(job, null, reasons.get(job.id) ?? "It was not saved yet."),
  );
  const cancelled = signal.aborted;
  const stays = await keepingPage(jobs.length > 1, async () => {
    const { name, found } = await earlierList(target);
    const list = [...withEarlier(all, found)];
    return target.end(new File([`${JSON.stringify(list, null, 2)}\n`], name), cancelled);
  });
  return { saved: stays ? listed.size : 0, problems, cancelled };
}

async function saveOne(
  job: JobFields,
  target: Target,
  names: Set<string>,
  progress: Progress,
  signal: AbortSignal,
): Promise<Listed> {
  const { whole, video } = await persistently(
    async () => ({
      whole: isPromptCut(job) ? await patiently(() => getJob(job.id, signal), signal) : job,
      video: await openVideo(job.id, signal),
    }),
    signal,
  );
  const { filename, size, checksums, content } = video;
  let bytes = 0;
  const counting = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      progress.bytes += chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
  const counted = content.pipeThrough(counting, { signal });
  const wanted = fileName(job, filename, names);
  try {
    const isSaved = async (one: string, there: number) => {
      if (size !== null) return there === size;
      // Cloud Storage does not tell. An earlier list tells what was received.
      const { found } = await earlierList(target);
      return found.some(({ id, file, bytes }) => id === job.id && file === one && bytes === there);
    };
    const { name, found } = await firstThatWillDo(wanted, async (one) => {
      // A browser that crashes leaves an empty file.
      const there = (await target.sizeOf(one)) ?? 0;
      return there === 0 || (await isSaved(one, there)) ? there : null;
    });
    if (found > 0) {
      bytes = found;
      await counted.cancel();
    } else await target.write(name, counted);
    return { ...describe(whole, name, null), bytes, checksums };
  } catch (error) {
    // What nobody reads keeps its connection. A target that has begun to read cancels it by itself.
    counted.cancel(error).catch(() => undefined);
    throw error;
  }
}

/**
 * Returns a name that no other job has: names that users give need not differ. Into a folder, Chromium writes no file
 * whose name holds a tilde or an invisible character, be it of an emoji: base/i18n/file_util_icu.cc
 */
function fileName(job: JobFields, suggested: string, taken: Set<string>): string {
  const stem = suggested
    .replace(/\.mp4$/, "")
    .replace(/\p{Cf}/gu, "")
    .replaceAll("~", "_");
  const ends = suggested.includes(job.id) ? [""] : [` ${shortName(job.id)}`, ` ${job.id}`];
  const name =
    ends.map((end) => `${stem}${end}.mp4`).find((one) => !taken.has(one)) ?? `${stem} ${job.id}.mp4`;
  taken.add(name);
  return name;
}

/** Returns the first of "a.mp4", "a 2.mp4", "a 3.mp4" and so on for which something is found, be it zero, and what. */
async function firstThatWillDo<T>(wanted: string, find: (name: string) => Promise<T | null>) {
  let name = wanted;
  for (let number = 2; ; number += 1) {
    const found = await find(name);
    if (found !== null) return { name, found };
    name = wanted.replace(/\.\w+$/, ` ${number}$&`);
  }
}

function describe(job: JobFields, file: string | null, problem: string | null): Listed {
  return {
    id: job.id,
    name: job.name ?? null,
    file,
    bytes: null,
    checksums: {},
    type: job.job_type,
    resolution: job.resolution,
    prompt: job.extension_prompt ?? null,
    seed: seedOf(job),
    made_from: job.source_job_id ?? null,
    created_at: job.created_at,
    completed_at: job.completed_at,
    problem,
  };
}

/** Of a list. There is a file if its name is a text. */
interface Entry {
  id: string;
  file: unknown;
  bytes?: unknown;
}

/** Returns the name of the list that is there, or the name for one, and its entries. */
function earlierList(target: Target) {
  return firstThatWillDo(LIST, async (name) => entriesIn(await target.textOf(name)));
}

/** Returns these entries and those of an earlier list. What names a file does not give way to what names none. */
function withEarlier(now: Listed[], earlier: Entry[]): Iterable<Entry> {
  const all = new Map(earlier.map((entry) => [entry.id, entry]));
  for (const entry of now) {
    if (entry.file !== null || typeof all.get(entry.id)?.file !== "string") all.set(entry.id, entry);
  }
  return all.values();
}

/** Returns the entries of a list; none if there is no text, null if it is not one, so the user's own. */
function entriesIn(text: string | null): Entry[] | null {
  try {
    const list: unknown = JSON.parse(text || "[]");
    const isEntry = (one: unknown) => typeof Object(one).id === "string" && "file" in Object(one);
    return Array.isArray(list) && list.every(isEntry) ? list : null;
  } catch {
    return null;
  }
}

/** Whether the next video would meet this error too: nothing answers for a minute, or the disk is full or gone. */
function isOfAll(error: unknown): boolean {
  const kinds = ["QuotaExceededError", "NotFoundError", "NotAllowedError"];
  return error instanceof NetworkError || (error instanceof DOMException && kinds.includes(error.name));
}

/** Returns a sentence for the user about any error, also of a disk. */
export function reasonOf(error: unknown): string {
  const kind = error instanceof DOMException ? error.name : "";
  if (kind === "QuotaExceededError")
    return "There is not enough room on the disk, or in what the browser keeps of the last hour.";
  if (kind === "NotFoundError") return "The folder is no longer there.";
  if (kind === "NotAllowedError" || kind === "NoModificationAllowedError")
    return "The browser may not write there.";
  // Safe browsing: https://developer.mozilla.org/en-US/docs/Web/API/FileSystemFileHandle/createWritable#exceptions
  if (kind === "AbortError") return "The browser refused to keep the file.";
  if (kind === "InvalidCharacterError") return "The browser writes no file of this name.";
  if (error instanceof TypeError) return messageOf(new NetworkError());
  return messageOf(error);
}
