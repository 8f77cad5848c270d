import { mediaPlaces } from "@/lib/media-places";
import { policyFor } from "@/lib/policy";
import { settings } from "@/lib/settings";

export const dynamic = "force-static";

/** Hands the policy to heads.mjs, which removes this file from the export. */
export function GET() {
  return new Response(policyFor(settings, mediaPlaces()));
}
