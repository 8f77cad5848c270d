"""Lets one server replace another at the same address with no gap in listening.

The socket is opened here and passed on by systemd's protocol, and servers report readiness as they would to
systemd. gunicorn, which functions-framework runs, supports both: https://gunicorn.org/deploy/#systemd
https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local.ports import HOST
from infra.local.processes import Processes, Spawn


class Address:
    """A port that stays open as long as `processes` run, whichever of them serves it."""

    def __init__(self, processes: Processes, port: int) -> None:
        self._processes = processes
        self._listener = processes.cleanup.enter_context(socket.create_server((HOST, port), backlog=128))

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        readiness: Readiness,
        label: str,
        may_end: bool,
        using: Spawn,
    ) -> None:
        """Start a server that serves this address once it is ready, alongside any that already do."""
        self._processes.start(
            name,
            command,
            environment={**environment, **readiness.environment, "LISTEN_FDS": "1"},
            folder=folder,
            label=label,
            may_end=may_end,
            pass_fds=[self._listener.fileno()],
            using=using,
        )


class Readiness:
    """Waits for one server to report readiness, through a socket that it creates at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.environment = {"NOTIFY_SOCKET": str(path)}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self._heard = False

    def __call__(self) -> bool:
        if not self._heard:
            try:
                self._heard = b"READY=1" in self._socket.recv(1024)
            except BlockingIOError:
                return False
        return self._heard

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)
