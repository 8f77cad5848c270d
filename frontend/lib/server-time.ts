/** The functions' clock, by which jobs are dated. That of a device may be far from it. Times are in milliseconds. */

import type { JobThumbnailsResponse } from "@/lib/job";

let ahead = 0;

/** Takes the functions' time, to the second, from the media of an answer that has just come. */
export function noteServerTime({ expires_at, expires_in_seconds }: JobThumbnailsResponse): void {
  const difference = Date.parse(expires_at) - 1000 * expires_in_seconds - Date.now();
  if (!Number.isNaN(difference)) ahead = difference;
}

/** Returns the time since 1970 by the functions' clock. Before the first answer, it is the device's. */
export function serverNow(): number {
  return Date.now() + ahead;
}
