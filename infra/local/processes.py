"""Starts the processes of the local cloud, prefixes what they print, and ends every one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from infra.local import reaper


class ProcessEnded(Exception):
    """A process ended that should have gone on."""


class Processes:
    """A context: whatever was started in it has ended, with its children, when it is left, and `folder` is gone.

    `output` is where the processes' lines go, each after the name of its process.
    """

    def __init__(self, output: Callable[[str], None], folder: Path) -> None:
        self._output = output
        self._folder = folder
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._pumps: list[threading.Thread] = []

    def __enter__(self) -> Processes:
        # In a session of its own, so that what kills this run spares it.
        self._reaper = subprocess.Popen(
            [sys.executable, "-S", reaper.__file__, str(self._folder)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(list(self._running))
        for pump in self._pumps:
            pump.join(timeout=1)
        self._tell_reaper(None)
        self._reaper.wait()

    def start(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._running[name] = process
        self._tell_reaper(process.pid)
        assert process.stdout is not None  # noqa: S101 - it was asked for
        pump = threading.Thread(target=self._pump, args=(name, process.stdout), daemon=True)
        pump.start()
        self._pumps.append(pump)
        return process

    def stop(self, names: Sequence[str]) -> None:
        stopping = [self._running.pop(name) for name in names]
        groups = [process.pid for process in stopping]
        # A process that is not waited for stays, as far as its group can tell, for ever.
        waits = [threading.Thread(target=process.wait, daemon=True) for process in stopping]
        for wait in waits:
            wait.start()
        reaper.end(groups)
        for wait, group in zip(waits, groups, strict=True):
            wait.join()
            self._tell_reaper(-group)

    def kill(self, name: str) -> None:
        """End a process and its children as a crash would: at once, without a word."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._tell_reaper(-process.pid)

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def check(self) -> None:
        """Raise ProcessEnded, which names the process, if one is no longer there."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ProcessEnded(f"{name} has ended with exit code {process.returncode}")

    def wait_for(self, what: str, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Raise TimeoutError, which names `what`, if the condition has not come true by then."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} was not ready within {seconds:.0f} s")
            time.sleep(0.05)

    def _pump(self, name: str, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._output(f"{name:<15} | {line.rstrip()}")

    def _tell_reaper(self, group: int | None) -> None:
        assert self._reaper.stdin is not None  # noqa: S101 - it was asked for
        if group is None:
            self._reaper.stdin.close()
        else:
            self._reaper.stdin.write(f"{group}\n")
            self._reaper.stdin.flush()
