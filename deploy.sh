#!/usr/bin/env bash
# Deploys NuuMee Jobs: what the functions need, then the functions. Can be run again at any time.
set -euo pipefail
command -v python3 >/dev/null || { echo 'deploy.sh: python3 is not installed: it makes the plan' >&2 && exit 2; }
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "deploy.sh: Python 3.11 or newer is needed, and python3 is $(python3 --version 2>&1)" >&2 && exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# A module of the folder that this was called from must not take the place of one of ours.
PYTHONSAFEPATH=1 PYTHONPATH=$root exec python3 -B -m infra.cloud "$@"
