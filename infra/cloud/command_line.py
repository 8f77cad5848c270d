"""The command line of deploy.sh."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra.cloud import fetch, gcloud, page
from infra.cloud.commands import Commands
from infra.cloud.commit import Stamp
from infra.cloud.deployment import Refused, Request, read_flags, settings_of, usage
from infra.cloud.gcloud import Gcloud, Mode
from infra.cloud.project import Project
from infra.cloud.smoke import BadRelease
from infra.functions import table
from infra.stage import ROOT


@dataclass(frozen=True, kw_only=True)
class World:
    """What a run acts on, besides the checkout."""

    start: Callable[[gcloud.Call], gcloud.Ended] = gcloud.start
    """Runs gcloud."""
    fetch: fetch.Fetch = fetch.fetch
    run: page.Run = page.run
    """Runs other programs."""
    ask: Callable[[str], str] = input
    """Shows a question and returns the answer."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def main(arguments: Sequence[str], root: Path = ROOT, world: World | None = None) -> None:
    """`root` is the checkout. Raises SystemExit: 2 for what makes no sense, 1 for a release that does not work or
    a check that finds something, and gcloud's own code if that fails.
    """
    world = world or World()
    try:
        request = read_flags(arguments)
        if request.help:
            print(usage(), end="")
            return
        deployment = settings_of(request, root / ".env")
        mode = _mode(request)
        project = Project(Gcloud(deployment.project, mode, world.start), deployment, table(), root)
        stamp = Stamp.of(root, world.now)
        os.chdir(root)
        if mode is not Mode.DRY_RUN:
            _prepare(root)
        commands = Commands(project, stamp, world.fetch, world.run, world.ask)
        sys.exit(commands.carry_out(request))
    except gcloud.Failed as error:
        sys.exit(error.status)
    except KeyboardInterrupt:
        sys.exit("deploy.sh: broken off; run it again to go on")
    except BadRelease as error:
        print(f"deploy.sh: nothing was released: {error}", file=sys.stderr)
        sys.exit(1)
    except (Refused, gcloud.NoAnswer) as error:
        print(f"deploy.sh: {error}", file=sys.stderr)
        sys.exit(2)


def _mode(request: Request) -> Mode:
    if "dry-run" in request.options:
        return Mode.DRY_RUN
    return Mode.CHECK if request.command == "check" else Mode.RUN


def _prepare(root: Path) -> None:
    """Make the folder of the files that gcloud takes."""
    if shutil.which("gcloud") is None:
        raise Refused("gcloud is not installed: see https://cloud.google.com/sdk/docs/install")
    try:
        (root / "build").mkdir(exist_ok=True)
    except OSError as error:
        sys.exit(f"deploy.sh: build/ cannot be written: {error}")
