import { policyFor, readBuckets } from "@/lib/policy";
import { settings } from "@/lib/settings";

export const dynamic = "force-static";

/** Hands the policy to heads.mjs, which removes this file from the export. */
export function GET() {
  return new Response(policyFor(settings, readBuckets(process.env.NEXT_PUBLIC_BUCKETS)));
}
