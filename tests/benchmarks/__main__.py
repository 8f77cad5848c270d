"""`make bench`: compares speed, cold starts and memory with the peers', as ratios from one run on one machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from infra.local import ports
from infra.local.stack import PORT_NAMES, Stack, empty
from tests.benchmarks import lists, memory, purging, rows, signing, starting
from tests.benchmarks.asked import Asking
from tests.benchmarks.load import check_tools
from tests.benchmarks.rows import Row
from tests.benchmarks.servers import Servers

LOG = Path("build") / "bench.log"
"""The servers' output."""
PARTS = ("signing", "purging", "lists", "starting", "memory")


def main() -> None:
    check_tools()
    wanted = sys.argv[1:] or PARTS
    measured = []
    for row in _rows(wanted):
        measured.append(row)
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{rows.write(measured)}\n")


def _rows(wanted: tuple[str, ...] | list[str]) -> Iterator[Row]:
    if "signing" in wanted:
        yield from signing.rows()
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w") as log, empty(Stack, ports.any_free(PORT_NAMES), output=partial(print, file=log)) as stack:
        if "purging" in wanted:
            yield from purging.rows(stack)
        if not {"lists", "starting", "memory"} & {*wanted}:
            return
        stack.start_emulators()
        stack.functions = ()  # so none subscribes to events
        stack.patience = 10  # the emulator is slow with 2,000 jobs and 16 clients
        stack.make_resources()
        servers = Servers(stack)
        if "lists" in wanted:
            yield from lists.rows(servers)
        asking = Asking(stack)
        if "starting" in wanted:
            yield from starting.rows(servers, asking)
        if "memory" in wanted:
            yield from memory.rows(servers, asking)


if __name__ == "__main__":
    main()
