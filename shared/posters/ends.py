"""Reads a file of which only both ends are there."""

from __future__ import annotations

from io import SEEK_END, SEEK_SET
from typing import BinaryIO

from shared.posters.posters import END_READ, WHOLE_UP_TO


class Ends:
    """A file that ends where its hole begins, for a reader that does not seek beyond it.

    So nothing is decoded of what was not read. A file up to WHOLE_UP_TO is whole.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        size = file.seek(0, SEEK_END)
        self._hole = range(WHOLE_UP_TO - END_READ, size - END_READ) if size > WHOLE_UP_TO else range(0)
        file.seek(0)

    @property
    def is_whole(self) -> bool:
        return not self._hole

    def read(self, count: int) -> bytes:
        at = self._file.tell()
        if at in self._hole:
            return b""
        if at < self._hole.start:
            count = min(count, self._hole.start - at)
        return self._file.read(count)

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
