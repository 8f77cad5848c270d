import type { BucketReceipt, Receipt } from "@/lib/job";

/** What each state of a deletion means to its owner. */
export const STATES: Record<Receipt["state"], string> = {
  pending: "The files are being removed",
  done: "Everything is removed",
  restoring: "The job is being restored",
  restored: "The job was restored",
};

export const BUCKETS = [
  ["images", "Images"],
  ["videos", "Source videos"],
  ["outputs", "Output videos"],
] as const;

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** Returns, for example, "12 bytes", "3.4 kB" or "17 MB". A kB has 1,000 bytes. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const amount = bytes / 1000 ** power;
  const digits = power > 0 && amount < 10 ? 1 : 0;
  return `${amount.toFixed(digits)} ${bytes === 1 ? "byte" : UNITS[power]}`;
}

/** Returns, for example, "1 file (3.4 kB)". */
export function formatFiles(objects: number, bytes: number): string {
  return `${objects} ${objects === 1 ? "file" : "files"} (${formatBytes(bytes)})`;
}

/** Says what was removed from a bucket. A run that failed may have removed files without counting them. */
export function formatRemoved({ objects, bytes, recoverable_until }: BucketReceipt): string {
  if (objects > 0) return `${formatFiles(objects, bytes)} removed`;
  return recoverable_until ? "No files counted: a run that failed may have removed some" : "No files removed";
}

/** Lets the browser save the receipt, with all that the service says in it. */
export function saveReceipt(receipt: Receipt): void {
  const file = new Blob([`${JSON.stringify(receipt, null, 2)}\n`], { type: "application/json" });
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = `nuumee-deletion-${receipt.job_id}.json`;
  link.click();
  URL.revokeObjectURL(url);
}
