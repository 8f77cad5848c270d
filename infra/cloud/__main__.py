"""The command line of deploy.sh."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.cloud import gcloud
from infra.cloud.deploy import CORS, Deploy, cors
from infra.cloud.deployment import Deployment, Refused, read_flags, settings_of, usage
from infra.functions import TableError, table

try:
    from infra.stage import FUNCTIONS, ROOT, stage
except TableError as error:
    sys.exit(f"infra/functions.toml: {error}")


def main(
    arguments: Sequence[str],
    root: Path = ROOT,
    start: Callable[[gcloud.Call], gcloud.Ended] = gcloud.start,
) -> None:
    """`root` is the checkout, and `start` runs gcloud. Raises SystemExit: 2 for what makes no sense, 1 for what
    cannot be staged, and gcloud's own code if that fails.
    """
    try:
        request = read_flags(arguments)
        if request.help:
            print(usage(), end="")
            return
        deployment = settings_of(request, root / ".env")
        runner = gcloud.Gcloud(deployment.project, dry_run=request.dry_run, start=start)
        deploy = Deploy(runner, deployment, table(), root)
        os.chdir(root)
        if not request.dry_run:
            _prepare(root, deployment)
        deploy.everything()
    except gcloud.Failed as error:
        sys.exit(error.status)
    except (Refused, gcloud.NoAnswer) as error:
        print(f"deploy.sh: {error}", file=sys.stderr)
        sys.exit(2)


def _prepare(root: Path, deployment: Deployment) -> None:
    """Write the files that gcloud takes."""
    if shutil.which("gcloud") is None:
        raise Refused("gcloud is not installed: see https://cloud.google.com/sdk/docs/install")
    try:
        (root / "build").mkdir(exist_ok=True)
        (root / CORS).write_text(json.dumps(cors(deployment)))
        for function in FUNCTIONS:
            stage(function, root / "build" / function, root)
    except OSError as error:
        sys.exit(f"deploy.sh: build/ cannot be written: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
