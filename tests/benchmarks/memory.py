"""Memory of each HTTP function, running alone, after 1,000 and after 5,000 requests."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.asked import Asked, Asking
from tests.benchmarks.rows import Row
from tests.benchmarks.servers import Server, Servers, running

_MOST = 90
_GROWTH = 1.02
"""The ratio up to which two measurements count as no growth."""


def rows(servers: Servers, asking: Asking) -> Iterator[Row]:
    for function in asking.functions():
        asked = asking.new(function)
        with running(servers.ours(function)) as (server,):
            first = _after(server, asked, 1000)
            last = _after(server, asked, 4000)
        yield Row(name=f"memory of {function}, MiB, after 5,000 requests", ours=last, limit=_MOST)
        yield Row(
            name=f"memory of {function}, MiB, after 5,000 requests vs after 1,000",
            ours=last,
            peer=first,
            limit=_GROWTH,
        )


def _after(server: Server, asked: Asked, requests: int) -> float:
    while requests > 0:
        requests -= int(server.load(asked.path, asked.headers, 2, asked.method).answers)
    return server.memory_mib()
