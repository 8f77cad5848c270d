/** The functions' clock, by which jobs are dated. That of a device may be far from it. Times are in milliseconds. */

/** Differences below this are the time that answers take, and would make times that are shown jump. */
const TOLERANCE = 5_000;

let ahead = 0;

/** Takes the time of a response, which has just come or came at `cameAt`: its header Date, which is true to the second. */
export function noteServerTime(date: string | null, cameAt: number = Date.now()): void {
  const difference = Date.parse(date ?? "") - cameAt;
  if (Math.abs(difference - ahead) > TOLERANCE) ahead = difference;
}

/** Returns the time since 1970 by the functions' clock. Before the first response, it is the device's. */
export function serverNow(): number {
  return Date.now() + ahead;
}
