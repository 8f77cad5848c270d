"""The port of each part of the local cloud."""

from __future__ import annotations

import atexit
import socket
from collections.abc import Sequence
from contextlib import ExitStack

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
    """Free ports, so that several stacks can run in parallel. On Linux, this process keeps them for its servers.

    It binds them until it ends, without listening. Then no connection and no other stack gets one of them, and a
    server that sets SO_REUSEADDR, as servers do, can listen. Other systems would refuse that server.
    """
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in names]
        for one in sockets:
            one.bind((HOST, 0))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        chosen = {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
        if all(map(_is_free, chosen.values())):
            atexit.register(opened.pop_all().close)
    return chosen


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
            probe.listen()
        except OSError:
            return False
        return True
