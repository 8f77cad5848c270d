"""The document's field `share_picture`: the picture that chats show beside a job's share link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.jobs.job import is_own_path

_LONGEST_SIDE = 8192


@dataclass(frozen=True, slots=True)
class SharePicture:
    """A JPEG picture of the output in its true proportions."""

    name: str
    """Object name, in the bucket of the outputs."""
    size: tuple[int, int]
    """Width and height in pixels."""

    def as_field(self) -> dict[str, object]:
        width, height = self.size
        return {"name": self.name, "width": width, "height": height}


def share_picture(document: Mapping[str, Any], user_id: str) -> SharePicture | None:
    """The picture that the user's document names. None if it names none, or the field is damaged."""
    found = document.get("share_picture")
    if not isinstance(found, Mapping):
        return None
    name, sides = found.get("name"), (found.get("width"), found.get("height"))
    if not isinstance(name, str) or not is_own_path(name, user_id):
        return None
    width, height = (side if type(side) is int and 0 < side <= _LONGEST_SIDE else 0 for side in sides)
    return SharePicture(name, (width, height)) if width and height else None
