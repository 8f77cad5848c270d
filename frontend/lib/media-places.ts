/** Where media lie. Only the build needs it: the page gets signed URLs. */

export interface MediaPlaces {
  /** Where signed URLs lead. */
  origin: string;
  /** The names of the buckets that hold media. */
  buckets: string[];
}

/** Reads NEXT_PUBLIC_MEDIA_ORIGIN and NEXT_PUBLIC_BUCKETS. Throws an Error that names what is wrong. */
export function readMediaPlaces(origin: string | undefined, names: string | undefined): MediaPlaces {
  const buckets = names?.split(",") ?? [];
  if (buckets.length === 0 || !buckets.every((name) => /^[a-z0-9._-]+$/.test(name))) {
    throw new Error(`NEXT_PUBLIC_BUCKETS is ${names}, which are not names of buckets, separated by commas`);
  }
  return { origin: origin?.trim() || "https://storage.googleapis.com", buckets };
}

/** Those of this build. */
export function mediaPlaces(): MediaPlaces {
  return readMediaPlaces(process.env.NEXT_PUBLIC_MEDIA_ORIGIN, process.env.NEXT_PUBLIC_BUCKETS);
}
