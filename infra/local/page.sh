#!/usr/bin/env bash
# Builds the page for the local cloud, where everything is at one origin, unless nothing has changed since it was
# built. Run by make; needs SETUP, the file that is as old as the set-up. Make itself cannot look after this: it
# takes a folder such as app/(dashboard) for something else.
set -euo pipefail
out=frontend/out
stamp=$out/.complete

# Folders count too: theirs is the time that tells of a file that was removed.
changes() {
  find "$SETUP" infra/local/page.sh -newer "$stamp"
  find frontend -mindepth 1 \( -name node_modules -o -name out -o -name '.?*' -o -name next-env.d.ts \
    -o -name '*.tsbuildinfo' \) -prune -o -newer "$stamp" -print
}
if [ -e "$stamp" ] && [ -z "$(changes)" ]; then exit; fi

export NEXT_PUBLIC_API_URL=/api/v1
export NEXT_PUBLIC_AUTH_EMULATOR_URL=/
export NEXT_PUBLIC_FIREBASE_API_KEY=local
export NEXT_PUBLIC_FIREBASE_PROJECT_ID=demo-nuumee
export NEXT_TELEMETRY_DISABLED=1
# Empty, so that a .env.production beside the page does not lead it to the cloud.
export NEXT_PUBLIC_LIST_JOBS_URL='' NEXT_PUBLIC_GET_THUMBNAILS_URL='' NEXT_PUBLIC_GET_OUTPUT_URL='' \
  NEXT_PUBLIC_DELETE_JOB_URL='' NEXT_PUBLIC_SHARE_JOB_URL='' NEXT_PUBLIC_FIREBASE_AUTH_DOMAIN='' \
  NEXT_PUBLIC_SOFT_DELETE_DAYS=''

printf 'page: building (a quarter of a minute, after a change only)\n'
# What is left of an older build must not pass for this one, wherever this one is broken off.
rm -rf "$out"
began=$(mktemp)
trap 'rm -f "$began"' EXIT
output=$(npm run --silent build --prefix frontend 2>&1) ||
  { printf '%s\npage: it could not be built, see above\n' "$output" >&2; exit 1; }
# As old as the build's beginning: what was changed beside it is built next time.
touch -r "$began" "$stamp"
