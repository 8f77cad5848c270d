"""Makes room in a job's document that is too full for its mark.

A document may have at most 1 MiB: https://firebase.google.com/docs/firestore/quotas#limits
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_ROOM = 512
"""Bytes that are enough for the mark: two fields, one of them a user id of at most 128 characters."""
_LEAST = frozenset({"user_id", "deleted_at", "deleted_by"})
_NEEDED = _LEAST | {"created_at", "status", "view_count"}
"""The mark itself, fields by which lists find a job, and what is added to in deleted jobs too. They stay where
they are, if that is possible at all."""


def displaced_fields(document: dict[str, Any], is_marked: bool) -> Iterator[dict[str, Any]]:
    """Which of these fields to keep elsewhere, each whole: more and more, until Firestore takes the rest.

    First the fewest fields that make enough room. Then all but those that are needed there, since a document may
    also have at most 40,000 index entries, of which a small field can have many. Then, only if the document gets
    its mark, all but the owner and the mark: what is left has room for the mark, whatever the document had.
    """
    movable = [name for name in document if name not in _NEEDED]
    sizes = sorted(((_size(name) + _size(document[name]), name) for name in movable), reverse=True)
    moved: dict[str, Any] = {}
    room = 0
    for size, name in sizes:
        moved[name], room = document[name], room + size
        if room >= _ROOM:
            yield dict(moved)
            break
    # A job that is to be live keeps as much as it can: its media's names are short.
    fewest = len(movable) if is_marked else len(moved) + 1
    while fewest < len(movable):
        yield {name: document[name] for _, name in sizes[:fewest]}
        fewest *= 2
    yield {name: document[name] for name in movable}
    if is_marked:
        yield {name: value for name, value in document.items() if name not in _LEAST}


def _size(value: object) -> int:
    """About as many bytes as Firestore counts: https://firebase.google.com/docs/firestore/storage-size"""
    match value:
        case str():
            size = len(value.encode(errors="replace")) + 1
        case bytes():
            size = len(value)
        case dict():
            size = sum(_size(name) + _size(one) for name, one in value.items())
        case list():
            size = sum(map(_size, value))
        case bool() | None:
            size = 1
        case _:
            size = 8  # numbers and times; what is larger, such as a location, makes more room than expected
    return size
