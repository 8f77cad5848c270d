/** Milliseconds. */
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Formats a span of milliseconds: "45s", "2m 30s", "1h 2m 30s", "3d 4h". */
export function formatElapsed(milliseconds: number): string {
  const span = Math.max(0, milliseconds);
  const parts = [
    [Math.floor(span / DAY), "d"],
    [Math.floor((span % DAY) / HOUR), "h"],
    [Math.floor((span % HOUR) / MINUTE), "m"],
    [Math.floor((span % MINUTE) / SECOND), "s"],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first === -1) return "0s";
  // After a day, minutes and seconds no longer matter.
  const shown = first === 0 ? parts.slice(0, 2) : parts.slice(first);
  return shown.map(([amount, unit]) => `${amount}${unit}`).join(" ");
}

/**
 * Returns "just now", "5 min. ago" or "1 day ago"; a date after a week. Both times are in milliseconds since 1970.
 * No formatter of Intl: to make one keeps a phone busy for 50 ms, just when the first card is to be drawn.
 */
export function formatAge(time: number, now: number): string {
  const age = Math.max(0, now - time);
  if (age < MINUTE) return "just now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min. ago`;
  if (age < DAY) return `${Math.floor(age / HOUR)} hr. ago`;
  if (age < 2 * DAY) return "1 day ago";
  if (age < 7 * DAY) return `${Math.floor(age / DAY)} days ago`;
  return day(time);
}

/** Returns the date in the reader's time zone, or "Unknown". */
export function formatDate(time: string | null): string {
  const parsed = parseTime(time);
  return parsed === null ? "Unknown" : day(parsed);
}

/** Returns a date such as "Nov 5, 2026". */
function day(time: number): string {
  // Such as "Thu Nov 05 2026", in every browser: https://tc39.es/ecma262/#sec-datestring
  const [, month, date, year] = new Date(time).toDateString().split(" ");
  return `${month} ${Number(date)}, ${year}`;
}

/** Made when it is first needed, which takes milliseconds. */
let exact: Intl.DateTimeFormat | undefined;

/** Returns the date and time of day in the reader's time zone, or "Unknown". */
export function formatExact(time: string | null): string {
  const parsed = parseTime(time);
  if (parsed === null) return "Unknown";
  exact ??= new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
  return exact.format(parsed);
}

/** Returns milliseconds since 1970, or null if the text is not a time. */
export function parseTime(time: string | null): number | null {
  const parsed = time === null ? Number.NaN : Date.parse(time);
  return Number.isNaN(parsed) ? null : parsed;
}

/** Returns the beginning of a day such as 2026-11-26, or of a `later` one, in the reader's time zone, for a request. */
export function dayStart(day: string, later = 0): string {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
