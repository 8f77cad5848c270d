"""Rebuilds the page when one of its files is saved. Until then, or if that fails, the previous build stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from infra.local.changes import Changes
from infra.local.processes import Processes

_NAME = "page"
# nice keeps the functions responsive during a build.
_COMMAND = ("nice", "infra/local/page.sh")


class PageBuilds:
    """Call `step` repeatedly. It reports what it does through `say`."""

    def __init__(self, processes: Processes, root: Path, say: Callable[[str], None]) -> None:
        self._processes = processes
        self._root = root
        self._say = say
        self._changes = Changes(root / "frontend")
        self._building = False

    def step(self) -> None:
        saved = self._changes.settled()
        if saved:
            self._say(f"saved: {', '.join(sorted(str(file.relative_to(self._root)) for file in saved))}")
            self._end()  # it may have read the old files
            environment = {"SETUP": ".venv/.complete", **os.environ}
            self._processes.start(_NAME, _COMMAND, environment=environment, folder=self._root, may_end=True)
            self._building = True
        elif self._building and (code := self._processes.exit_code(_NAME)) is not None:
            self._end()
            if code:
                self._say("the page stays as it was until it is mended")
            else:
                self._say("the page is built: reload it in the browser")

    def _end(self) -> None:
        if self._building:
            self._processes.stop([_NAME])
            self._building = False
