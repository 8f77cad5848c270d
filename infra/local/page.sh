#!/usr/bin/env bash
# Builds the page, unless nothing has changed since the last build:
#   page.sh          for the local cloud, where everything has one origin, into frontend/out
#   page.sh apart    with an address for each function, as in production, into frontend/out-apart. A test of that
#                    opens it in a browser that resolves these addresses to this machine.
# Run by make. Needs SETUP, a file as old as the set-up. Make itself cannot track these files: it misreads folder
# names such as app/(dashboard).
set -euo pipefail

export NEXT_PUBLIC_FIREBASE_API_KEY=local
export NEXT_PUBLIC_FIREBASE_PROJECT_ID=demo-nuumee
# Any port: that of the local Storage is known only when it runs.
export NEXT_PUBLIC_MEDIA_ORIGIN=http://127.0.0.1:*
export NEXT_PUBLIC_BUCKETS=nuumee-images,nuumee-videos,nuumee-outputs
export NEXT_TELEMETRY_DISABLED=1
# Empty, so that a .env.production beside the page does not point it at the cloud.
export NEXT_PUBLIC_API_URL='' NEXT_PUBLIC_FIREBASE_AUTH_DOMAIN='' NEXT_PUBLIC_SOFT_DELETE_DAYS=''
export NEXT_PUBLIC_CREATE_URL='' NEXT_PUBLIC_SUPPORT=''
# The functions that the page calls, as listed in its own settings.
functions=($(sed -nE 's/.*endpoint\("([A-Z_]+)_URL"\).*/\1/p' frontend/lib/settings.ts))
for function in "${functions[@]}"; do export "NEXT_PUBLIC_${function}_URL="; done

case "${1:-}" in
  '')
    export PAGE_FOLDER=out NEXT_PUBLIC_API_URL=/api/v1 NEXT_PUBLIC_AUTH_EMULATOR_URL=/ ;;
  apart)
    export PAGE_FOLDER=out-apart NEXT_PUBLIC_AUTH_EMULATOR_URL=http://auth.localhost
    export NEXT_PUBLIC_CREATE_URL=http://studio.localhost/create NEXT_PUBLIC_SUPPORT=help@nuumee.test
    for function in "${functions[@]}"; do
      host=$(tr A-Z_ a-z- <<<"$function")
      export "NEXT_PUBLIC_${function}_URL=http://$host.localhost"
    done ;;
  *)
    printf 'page: there is no such build: %s\n' "$1" >&2; exit 2 ;;
esac
out=frontend/$PAGE_FOLDER
stamp=$out/.complete

# Include folders: a removed file changes only its folder's time.
changes() {
  find "$SETUP" infra/local/page.sh -newer "$stamp"
  find frontend -mindepth 1 \( -name node_modules -o -name out -o -name 'out-*' -o -name '.?*' \
    -o -name next-env.d.ts -o -name '*.tsbuildinfo' \) -prune -o -newer "$stamp" -print
}
if [ -e "$stamp" ] && [ -z "$(changes)" ]; then exit; fi

printf 'page: building %s (up to half a minute, after a change only)\n' "$out"
# If this build is interrupted, the remains of an older one must not pass for it.
rm -rf "$out"
began=$(mktemp)
trap 'rm -f "$began"' EXIT
output=$(npm run --silent build --prefix frontend 2>&1) ||
  { printf '%s\npage: it could not be built, see above\n' "$output" >&2; exit 1; }
# Date the stamp to the start of the build, so that files changed during it are built next time.
touch -r "$began" "$stamp"
