"""What deploy.sh starts. A table of functions that makes no sense is told of in one sentence."""

from __future__ import annotations

import sys

from infra.functions import TableError

try:
    from infra.cloud.command_line import main
except TableError as error:
    sys.exit(f"infra/functions.toml: {error}")

if __name__ == "__main__":
    main(sys.argv[1:])
