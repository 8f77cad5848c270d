"""Makes room in a job's document that is too full for its mark.

A document may have at most 1 MiB: https://firebase.google.com/docs/firestore/quotas#limits
"""

from __future__ import annotations

from typing import Any

_ROOM = 512
"""Bytes that are enough for the mark: two fields, one of them a user id of at most 128 characters."""
_NEEDED = frozenset({"user_id", "created_at", "status", "deleted_at", "deleted_by"})
"""Fields by which lists find a job, and the mark itself. They stay where they are."""


def displaced_fields(document: dict[str, Any]) -> dict[str, Any]:
    """The fewest fields whose removal makes enough room, each whole; empty if no fields make enough."""
    movable = [name for name in document if name not in _NEEDED]
    sizes = sorted(((_size(name) + _size(document[name]), name) for name in movable), reverse=True)
    moved: dict[str, Any] = {}
    room = 0
    for size, name in sizes:
        moved[name], room = document[name], room + size
        if room >= _ROOM:
            return moved
    return {}


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
