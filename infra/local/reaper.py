"""Ends the processes of a run that was killed before it could do so itself, and removes the run's folder.

The run writes the id of each process group that it starts to the reaper's standard input. The system closes
that input when the run ends, however it ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

PATIENCE = 5
"""Seconds that processes have to end by themselves."""


def end(groups: list[int], patience: float) -> None:
    """End whole process groups: ask, wait, and then kill."""
    _signal(groups, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while _signal(groups, 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    _signal(groups, signal.SIGKILL)


def _signal(groups: list[int], number: int) -> bool:
    """Send a signal to the groups. Returns whether any group still existed."""
    there = False
    for group in groups:
        try:
            os.killpg(group, number)
            there = True
        except (ProcessLookupError, PermissionError):
            continue
    return there


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        group = int(line)
        groups = [other for other in groups if other != -group] if group < 0 else [*groups, group]
    end(groups, PATIENCE)
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
