import { scriptFor } from "@/lib/first-list-script";
import { settings } from "@/lib/settings";

export const dynamic = "force-static";

/** Hands the script to heads.mjs, which moves it into the jobs page. */
export function GET() {
  return new Response(scriptFor(settings));
}
