"""Starts the processes of the local cloud, prefixes their output, and ends all of them."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol

from infra.local import reaper

WAITING = "waiting"
"""Replaces the process name in lines about waiting."""
NEWS_EVERY = 15.0
"""Seconds between messages about what is still being waited for."""

_TO_FINISH = 30
"""Seconds that a replaced process has to finish: as long as gunicorn waits for its requests."""


class ProcessEnded(Exception):
    """A process ended that should have kept running. `name` says which."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} has ended with exit code {code}")
        self.name = name


class Process(Protocol):
    """What is needed of a subprocess.Popen whose output is text."""

    @property
    def pid(self) -> int: ...
    @property
    def stdout(self) -> IO[str] | None: ...
    def poll(self) -> int | None: ...
    def wait(self) -> int | None: ...


Spawn = Callable[[Sequence[str], Mapping[str, str], Path, Sequence[int]], Process]
"""Starts a command with an environment, in a folder, with descriptors to inherit, and in its own process group."""


def spawn(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, pass_fds: Sequence[int]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        pass_fds=pass_fds,
    )


class Processes:
    """A context manager. On exit it ends all processes started in it and their children, and removes `folder`.

    `output` receives the processes' lines, each prefixed with its process's name.
    """

    def __init__(self, output: Callable[[str], None], folder: Path) -> None:
        self._output = output
        self._folder = folder
        self._running: dict[str, Process] = {}
        self._may_end: set[str] = set()
        self._leaving: list[Process] = []
        self._pumps: dict[Process, threading.Thread] = {}
        self._threads: list[threading.Thread] = []
        self._reaper_lock = threading.Lock()
        self.cleanup = ExitStack()
        """Closed once all processes have ended."""

    def __enter__(self) -> Processes:
        # In its own session, so that a signal that kills this run spares it.
        self._reaper = subprocess.Popen(
            [sys.executable, "-S", reaper.__file__, str(self._folder)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._end([*self._running.values(), *self._leaving], reaper.PATIENCE)
        for thread in self._threads:
            thread.join(timeout=reaper.PATIENCE + 1)
        self._tell_reaper(None)
        self._reaper.wait()
        self.cleanup.close()

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        may_end: bool = False,
        label: str | None = None,
        pass_fds: Sequence[int] = (),
        using: Spawn = spawn,
    ) -> None:
        """Start a process that must keep running until stopped, unless it `may_end`.

        Its lines are prefixed with `label`, by default its name; paths in them become relative to `folder`, which
        may be a staged copy. It inherits the descriptors `pass_fds`.
        """
        process = using(command, environment, folder, pass_fds)
        self._running[name] = process
        if may_end:
            self._may_end.add(name)
        self._tell_reaper(process.pid)
        assert process.stdout is not None  # noqa: S101 - a pipe was requested
        sources = (folder / "main.py").resolve().parent  # a function's may be a link to the staged one
        self._pumps[process] = self._begin(self._pump, label or name, f"{sources}/", process.stdout)

    def stop(self, names: Sequence[str]) -> None:
        """Ask the processes and their children to end, and kill any left after reaper.PATIENCE."""
        self._may_end.difference_update(names)
        self._end([self._running.pop(name) for name in names], reaper.PATIENCE)

    def replace(self, name: str, successor: str, ended: Callable[[], None]) -> None:
        """Give process `successor` the name `name`. The old one may finish its work; then `ended` is called."""
        before = self._running[name]
        self._running[name] = self._running.pop(successor)
        self._may_end.discard(successor)
        self._leaving.append(before)

        def end() -> None:
            self._end([before], _TO_FINISH)
            self._leaving.remove(before)
            ended()

        self._begin(end)

    def has(self, name: str) -> bool:
        """Whether there is such a process, even if it has ended."""
        return name in self._running

    def exit_code(self, name: str) -> int | None:
        """The process's exit code; None while it runs."""
        return self._running[name].poll()

    def kill(self, name: str) -> None:
        """Kill a process and its children at once, like a crash."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        del self._pumps[process]
        self._tell_reaper(-process.pid)

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def check(self) -> None:
        """Raise ProcessEnded if a process has ended that must keep running."""
        for name, process in self._running.items():
            if name not in self._may_end and (code := process.poll()) is not None:
                raise ProcessEnded(name, code)

    def wait_for(self, what: str, condition: Callable[[], bool], seconds: float = math.inf) -> None:
        """Wait until the condition holds, by default as long as all processes live, because the machine may be
        busy.

        Regularly says what it waits for. Raises ProcessEnded, and TimeoutError after `seconds`.
        """
        began = time.monotonic()
        news = NEWS_EVERY
        while not condition():
            self.check()
            waited = time.monotonic() - began
            if waited > seconds:
                raise TimeoutError(f"{what} was not ready within {seconds:.0f} s")
            if waited > news:
                news += NEWS_EVERY
                self._output(f"{WAITING:<15} | for {what}, {waited:.0f} s so far")
            time.sleep(0.05)

    def _begin(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self._threads = [*(other for other in self._threads if other.is_alive()), thread]
        return thread

    def _end(self, stopping: Sequence[Process], patience: float) -> None:
        groups = [process.pid for process in stopping]
        # A process must be waited for, or its group seems to exist for ever.
        waits = [threading.Thread(target=process.wait, daemon=True) for process in stopping]
        for wait in waits:
            wait.start()
        reaper.end(groups, patience)
        for process, wait in zip(stopping, waits, strict=True):
            wait.join()
            self._tell_reaper(-process.pid)
            if pump := self._pumps.pop(process, None):
                pump.join(timeout=1)  # so that its last lines appear before the message about it

    def _pump(self, name: str, folder: str, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._output(f"{name:<15} | {line.rstrip().replace(folder, '')}")

    def _tell_reaper(self, group: int | None) -> None:
        assert self._reaper.stdin is not None  # noqa: S101 - a pipe was requested
        with self._reaper_lock:
            if group is None:
                self._reaper.stdin.close()
            else:
                self._reaper.stdin.write(f"{group}\n")
                self._reaper.stdin.flush()
