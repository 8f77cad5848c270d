import type { MediaPlaces } from "@/lib/media-places";
import type { Settings } from "@/lib/settings";

/**
 * Returns the page's Content-Security-Policy: what it may load, call and show in frames. The hashes of a file's inline
 * scripts are missing: heads.mjs adds them after the build.
 */
export function policyFor(
  { endpoints, firebase, authEmulator }: Settings,
  { origin, buckets }: MediaPlaces,
): string {
  const signIn = authEmulator
    ? [originOf(authEmulator)]
    : ["https://identitytoolkit.googleapis.com", "https://securetoken.googleapis.com"];
  // Google's window for signing in is opened by a script from apis.google.com, through a frame from this domain:
  // https://github.com/firebase/firebase-js-sdk/blob/main/packages/auth/src/platform_browser/iframe/iframe.ts
  const [popupScript, popupFrame] = firebase.authDomain
    ? [["https://apis.google.com"], [`https://${firebase.authDomain}`]]
    : [[], []];
  // Not all of Cloud Storage: anybody can have a bucket there.
  const media = buckets.map((bucket) => `${origin}/${bucket}/`);
  const directives = {
    "default-src": ["'none'"],
    "script-src": ["'self'", ...popupScript],
    // The toasts' library adds its styles to the page as an inline sheet.
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", ...media],
    "media-src": media,
    "connect-src": ["'self'", ...Object.values(endpoints).map(originOf), ...media, ...signIn],
    // A download runs in a hidden frame.
    "frame-src": [...media, ...popupFrame],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
  };
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...new Set(sources)].join(" "))
    .join("; ");
}

/** A path is on the page's own origin. */
function originOf(address: string): string {
  return address.startsWith("http") ? new URL(address).origin : "'self'";
}
