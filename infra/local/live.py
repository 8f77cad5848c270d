"""A local cloud with live reload: a saved file restarts only the functions that imported it.

A new process takes over when it is ready, while the old one finishes its requests. If the new one does not
start, its traceback is logged and the old one stays.

Not `functions-framework --debug`, which is Flask's own server, run on the sources in place. This runs the same
as the cloud: gunicorn, on a staged folder.
"""

from __future__ import annotations

import os
import shutil
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import cache_from_source
from itertools import count
from pathlib import Path

from infra.local.changes import Changes
from infra.local.processes import Processes
from infra.local.resources import topics_by_function
from infra.local.stack import Stack
from infra.local.takeover import Address, Readiness
from infra.stage import PACKAGES, ROOT, stage

_AT_ONCE = os.cpu_count() or 1
"""Functions that start in parallel. With more, the first would be ready later and the last no sooner."""


@dataclass(frozen=True, slots=True)
class _Start:
    """One process of a function, by its process name, and the folder that it runs from."""

    process: str
    folder: Path
    ready: Readiness

    def has_imported(self, file: Path) -> bool:
        """Whether the process imported the file, which leaves bytecode beside it. Other files are read when first
        needed.
        """
        return file.suffix == ".py" and Path(cache_from_source(str(self.folder / file))).exists()

    def update(self, root: Path, file: Path) -> None:
        """Update a file that is not yet in use from `root`, or remove it if it is gone there."""
        staged = self.folder / file
        new = staged.with_name(f".{file.name}.new")
        try:
            staged.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / file, new)
            new.replace(staged)
        except FileNotFoundError:
            staged.unlink(missing_ok=True)

    def forget(self) -> None:
        self.ready.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class LiveStack(Stack):
    """Call `reload` repeatedly. It reports what it does through `say`."""

    root = ROOT
    """Folder of the sources."""

    def __init__(
        self, ports: Mapping[str, int], processes: Processes, folder: Path, without: Collection[str] = ()
    ) -> None:
        super().__init__(ports, processes, folder, without)
        self.say: Callable[[str], None] = print
        self._changes = Changes(*(self.root / package for package in PACKAGES))
        self._numbers = count()
        self._addresses: dict[str, Address] = {}
        self._serving: dict[str, _Start] = {}
        self._starting: dict[str, _Start] = {}
        self._waiting: list[str] = []
        self.behind: set[str] = set()
        """Functions that failed to start with the last saved version."""
        self._saved_at = 0.0
        self._renewed: list[str] = []

    def start_function(self, name: str) -> None:
        """Start the function's first process."""
        self._addresses[name] = Address(self.processes, self.ports[name])
        self._serving[name] = self._start(name, name, may_end=False)

    def is_ready(self, name: str) -> bool:
        return self._serving[name].ready() if name in self._serving else super().is_ready(name)

    @property
    def is_up_to_date(self) -> bool:
        """Whether all detected changes have been taken and nothing is starting."""
        return not self._starting and not self._waiting

    def reload(self) -> None:
        """Look for saved files, and advance pending restarts by one step."""
        saved = [file.relative_to(self.root) for file in self._changes.settled()]
        if saved:
            self._take(saved)
        for name in list(self._starting):
            self._look_after(name)
        while self._waiting and len(self._starting) < _AT_ONCE:
            name = self._waiting.pop(0)
            self._starting[name] = self._start(name, f"{name}, new", may_end=True)
        if self._renewed and not self._starting:
            self.say(f"{', '.join(self._renewed)}: up to date after {time.monotonic() - self._saved_at:.1f} s")
            self._renewed.clear()

    def _take(self, saved: list[Path]) -> None:
        self._saved_at = time.monotonic()
        self.say(f"saved: {', '.join(sorted(map(str, saved)))}")
        sound = [file for file in saved if self._compiles(file)]
        if not sound:
            return
        for name in sorted(self._serving, key=lambda name: name in topics_by_function(self.settings)):
            if name in self._waiting:
                continue
            if name in self._starting:
                self._give_up(name)
                self._waiting.append(name)
            elif name in self.behind or any(map(self._serving[name].has_imported, sound)):
                self._waiting.append(name)
            else:
                for file in sound:
                    self._serving[name].update(self.root, file)

    def _compiles(self, file: Path) -> bool:
        """Whether the file is worth trying. If not, say why once instead of once per function."""
        with suppress(FileNotFoundError):
            source = self.root / file
            try:
                if file.suffix == ".py":
                    compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                said = "".join(traceback.format_exception_only(error))
                self.say(f"{said}{file} is left as it was until it is mended")
                return False
        return True

    def _start(self, name: str, process: str, *, may_end: bool) -> _Start:
        number = next(self._numbers)
        folder = stage(self.folder / f"{name}-{number}", self.root)
        start = _Start(process, folder, Readiness(self.folder / f"ready-{number}"))
        self.processes.cleanup.callback(start.ready.close)
        self._addresses[name].start(
            process,
            self.function_command(name, self.ports[name]),
            environment=self.function_environment(name, K_REVISION=f"{name}-{number}"),
            folder=folder,
            readiness=start.ready,
            label=name,
            may_end=may_end,
            using=self.fork(name),
        )
        return start

    def _look_after(self, name: str) -> None:
        start = self._starting[name]
        if start.ready():
            before = self._serving[name]
            self.processes.replace(name, start.process, before.forget)
            self._serving[name] = self._starting.pop(name)
            self.behind.discard(name)
            self._renewed.append(name)
        elif self.processes.exit_code(start.process) is not None:
            self._give_up(name)
            self.behind.add(name)
            self.say(f"{name} does not start with what was saved; until it is mended, it answers as before")

    def _give_up(self, name: str) -> None:
        start = self._starting.pop(name)
        self.processes.stop([start.process])
        start.forget()
