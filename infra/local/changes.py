"""Finds saved files by polling.

Polling works where change notifications do not arrive, as in folders that a container shares with its host, and
takes a few milliseconds for a few hundred files. It sees only the outcome of a save's many writes and renames.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_NO_SOURCE = re.compile(r"\..*|__pycache__|node_modules|out|out-.*|next-env\.d\.ts|.*\.tsbuildinfo")
"""Names of files that editors, builds and programs leave among the sources."""
_State = dict[str, tuple[int, int, int]]


class Changes:
    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._reported = self._seen = self._look()

    def settled(self) -> frozenset[Path]:
        """The files written, added or removed since the last report.

        Empty while files are still being written, that is, if they differ from what the previous call saw.
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
            with suppress(FileNotFoundError):  # removed meanwhile, or a dangling link
                found = entry.stat()
                yield entry.path, (found.st_mtime_ns, found.st_size, found.st_ino)
