"""The port of each part of the local cloud."""

from __future__ import annotations

import socket
from collections.abc import Sequence

HOST = "127.0.0.1"


class PortTaken(Exception):
    """Something else listens on a port. The message says how to choose another."""


def consecutive(names: Sequence[str], first: int) -> dict[str, int]:
    """Ports from `first` on, each checked to be free. Raises PortTaken."""
    if not 1024 <= first <= 65535 - len(names):
        raise PortTaken(f"PORT must be a number from 1024 to {65535 - len(names)}")
    ports = {name: first + offset for offset, name in enumerate(names)}
    for name, port in ports.items():
        if not _is_free(port):
            raise PortTaken(
                f"port {port} (for {name}) is taken; choose others, counted up from a first one, "
                f"with: make dev PORT={first + 1000 if first < 60000 else 9000}"
            )
    return ports


def any_free(names: Sequence[str]) -> dict[str, int]:
    """Currently free ports, so that several stacks can run in parallel."""
    sockets = [socket.socket() for _ in names]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
    finally:
        for one in sockets:
            one.close()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that a port with recently closed connections counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
