"""Reads how a HEIF file composes its picture: ISO/IEC 23008-12. Phones store it as a grid of tiles."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from shared.posters.colours import UNTAGGED, Tags

MOST_TILES = 1024
_NO_COLOURS = (b"", UNTAGGED, False)
_NOT_TOLD = (ValueError, LookupError, struct.error)
"""What is raised by an index that is damaged."""
_MOST_METADATA = 2**20
"""Bytes of the index, which also may hold small items."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The tiles of a picture, row by row; a picture that is none is its own tile."""

    tiles: tuple[int, ...]
    """Ids, which are those of FFmpeg's streams."""
    columns: int
    width: int
    height: int
    turns: tuple[tuple[str, int], ...]
    """What to do with it, in this order: `irot`, a number of quarter turns to the left; `imir`, an axis: 0 if the
    top becomes the bottom, 1 if the left side becomes the right."""
    profile: bytes
    """ICC, or empty."""
    tags: Tags
    is_full_range: bool
    """Whether the index says that black is stored as 0, not as 16 of 255."""
    is_transparent: bool
    """Whether another item, which is not among the tiles, tells what is transparent."""


def grid_of(file: BinaryIO) -> Grid:
    """How the main picture is composed. Raises ValueError, LookupError or struct.error where the file is wrong."""
    meta = _Meta(_found(file, b"meta"))
    main = meta.main
    properties = meta.properties(main)
    turns = tuple((kind.decode(), content[0] & 3) for kind, content in properties if kind in {b"irot", b"imir"})
    tiles, columns = meta.tiles(main), 1
    if tiles:
        _, flags, rows, columns = meta.content(main, file)[:4]
        rows, columns = rows + 1, columns + 1
        width, height = struct.unpack_from(">II" if flags & 1 else ">HH", meta.content(main, file), 4)
        if rows * columns != len(tiles) or len(tiles) > MOST_TILES:
            raise ValueError(f"{len(tiles)} tiles are no grid")
    else:
        tiles = (main,)
        width, height = next(
            struct.unpack_from(">II", content, 4) for kind, content in properties if kind == b"ispe"
        )
    colours = _colours(properties)
    if colours == _NO_COLOURS:
        with suppress(*_NOT_TOLD):
            colours = _colours(meta.properties(tiles[0]))
    is_transparent = False
    with suppress(*_NOT_TOLD):  # other items may be damaged
        is_transparent = meta.is_transparent(main)
    return Grid(tiles, columns, width, height, turns, *colours, is_transparent)


def tags_of(file: BinaryIO) -> Tags:
    """Of the main picture, where there are any and the index can be read."""
    try:
        meta = _Meta(_found(file, b"meta"))
        return _colours(meta.properties(meta.main))[1]
    except (OSError, OverflowError, *_NOT_TOLD):
        return UNTAGGED


def _colours(properties: list[tuple[bytes, bytes]]) -> tuple[bytes, Tags, bool]:
    """The ICC profile, or empty, the tags, and whether the range is full."""
    told = [(content[:4], content[4:]) for kind, content in properties if kind == b"colr"]
    profile = next((content for kind, content in told if kind in {b"prof", b"rICC"}), b"")
    numbers = next((content for kind, content in told if kind == b"nclx" and len(content) >= 6), b"")
    tags = Tags(*struct.unpack_from(">HHH", numbers)) if numbers else UNTAGGED
    return profile, tags, bool(numbers[6:7]) and numbers[6] >= 128


class _Meta:
    """The index of a file."""

    def __init__(self, content: bytes) -> None:
        self._boxes = dict(_boxes(content[4:]))

    @property
    def main(self) -> int:
        content = self._boxes[b"pitm"]
        return int.from_bytes(content[4:6] if content[0] == 0 else content[4:8])

    def tiles(self, item: int) -> tuple[int, ...]:
        """The items of which an item is composed."""
        return next((others for kind, one, others in self._references() if (kind, one) == (b"dimg", item)), ())

    def is_transparent(self, item: int) -> bool:
        """Whether another item tells what of this one is transparent."""
        auxiliary = (one for kind, one, others in self._references() if kind == b"auxl" and item in others)
        properties = chain.from_iterable(map(self.properties, auxiliary))
        return any(kind == b"auxC" and b":alpha" in content for kind, content in properties)

    def _references(self) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
        """The kind of each reference, the item that it is of, and those that it names."""
        references = self._boxes.get(b"iref", bytes(4))
        size = 2 if references[0] == 0 else 4
        for kind, content in _boxes(references[4:]):
            count = int.from_bytes(content[size : size + 2])
            ids = content[size + 2 : size + 2 + count * size]
            others = tuple(int.from_bytes(ids[start : start + size]) for start in range(0, len(ids), size))
            yield kind, int.from_bytes(content[:size]), others

    def properties(self, item: int) -> list[tuple[bytes, bytes]]:
        boxes = list(_boxes(self._boxes[b"iprp"]))
        known = list(_boxes(dict(boxes)[b"ipco"]))
        found = []
        for content in (content for kind, content in boxes if kind == b"ipma"):
            reader = _Reader(content)
            version, flags = reader.number(1), reader.number(3)
            for _ in range(reader.number(4)):
                owner = reader.number(2 if version < 1 else 4)
                places = [
                    reader.number(2) & 0x7FFF if flags & 1 else reader.number(1) & 0x7F
                    for _ in range(reader.number(1))
                ]
                found += [known[place - 1] for place in places if owner == item and place]
        return found

    def content(self, item: int, file: BinaryIO) -> bytes:
        """The first bytes of an item that is stored in one piece."""
        reader = _Reader(self._boxes[b"iloc"])
        version = reader.number(1)
        reader.number(3)
        sizes = reader.number(2)
        offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_size = sizes & 15 if version else 0
        for _ in range(reader.number(2 if version < 2 else 4)):
            owner = reader.number(2 if version < 2 else 4)
            method = reader.number(2) & 15 if version else 0
            reader.number(2)
            base = reader.number(base_size)
            starts = []
            for _ in range(reader.number(2)):
                reader.number(index_size)
                starts.append(base + reader.number(offset_size))
                reader.number(length_size)
            if owner == item and method == 1:
                return self._boxes[b"idat"][starts[0] : starts[0] + 16]
            if owner == item:
                file.seek(starts[0])
                return file.read(16)
        raise ValueError(f"item {item} is nowhere")


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def number(self, size: int) -> int:
        if self._at + size > len(self._content):
            raise ValueError("a box is too short")
        self._at += size
        return int.from_bytes(self._content[self._at - size : self._at])


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kinds and contents of boxes that follow each other."""
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        size = size or len(content) - at
        if size < 8:
            raise ValueError("a box is smaller than its head")
        yield kind, content[at + 8 : at + size]
        at += size


def _found(file: BinaryIO, wanted: bytes) -> bytes:
    """The content of the file's first box of this kind."""
    at = 0
    while True:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            raise ValueError("there is no index")
        size, kind = struct.unpack_from(">I4s", head)
        start = 8
        if size == 1:
            size, start = int.from_bytes(head[8:16]), 16
        if kind == wanted and 8 <= size <= _MOST_METADATA:
            file.seek(at + start)
            return file.read(size - start)
        if size < 8:
            raise ValueError("there is no index")
        at += size
