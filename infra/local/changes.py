"""Which files have been saved: found by looking again and again.

Looking works where word of changes does not come, as in folders that a container shares with its host, and a few
hundred files take a few milliseconds. Of the many writes and renames of one save only the outcome is seen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_NO_SOURCE = re.compile(r"\..*|__pycache__|node_modules|out|out-.*|next-env\.d\.ts|.*\.tsbuildinfo")
"""Names of what editors, builds and programs leave among the sources."""
_State = dict[str, tuple[int, int, int]]


class Changes:
    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._reported = self._seen = self._look()

    def settled(self) -> frozenset[Path]:
        """The files that were written, added or removed since they were last reported.

        None while somebody still writes: as long as they are not what they were at the call before.
        """
        before, self._seen = self._seen, self._look()
        if self._seen != before:
            return frozenset()
        old, self._reported = self._reported, self._seen
        return frozenset(Path(file) for file in old | self._seen if old.get(file) != self._seen.get(file))

    def _look(self) -> _State:
        return {file: state for folder in self._folders for file, state in _files(str(folder))}


def _files(folder: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if _NO_SOURCE.fullmatch(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
                continue
            with suppress(FileNotFoundError):  # in the meantime, or what it is a link to
                found = entry.stat()
                yield entry.path, (found.st_mtime_ns, found.st_size, found.st_ino)
