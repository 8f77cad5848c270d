"""Turns a Firestore document into a Job. No other code does.

A damaged value must not break the job or the page: it is shown as absent and logged. An empty text is absent.
A damaged path names no object, and none is looked for in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TypeGuard

from shared import log
from shared.jobs.job import Job, Medium
from shared.jobs.names import is_name

FREE_TEXTS = ("extension_prompt", "error_message")
_TEXTS = (
    "short_id",
    "job_type",
    "status",
    "reference_image_path",
    "motion_video_path",
    "source_job_id",
    "input_video_path",
    "resolution",
    "wavespeed_request_id",
    "output_video_path",
)
_TIMES = ("created_at", "updated_at", "completed_at", "share_expires_at")
_INTEGERS = ("seed", "view_count")
SHOWN = (
    *("user_id", "deleted_at", "share_revoked_at", "credits_charged", "credits_refunded", "name", "share_name"),
    *("posters", "previews", "views", "storyboards", "playable"),
    *(*FREE_TEXTS, *_TEXTS, *_TIMES, *_INTEGERS),
)
"""All fields that `job_from` and `is_live` look at."""
_LONGEST_TEXT = 1024
"""Most characters of a text that is not free: the most bytes of an object's name. No id is that long.

https://cloud.google.com/storage/docs/objects#naming
"""

_FIRST, _END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Fields(Protocol):
    """A document's fields by name: a mapping, or a document that decodes each when it is asked for."""

    def get(self, name: str, /) -> Any: ...


def fields(snapshot: Any) -> dict[str, Any]:
    """The snapshot's fields; empty if there is no document. `to_dict` copies, so call this once."""
    return snapshot.to_dict() or {}


def given(document: Mapping[str, Any], name: str) -> Any:
    """The field's value; None if it is absent, null or an empty text, which writers use for absent values."""
    value = document.get(name)
    return None if value == "" else value


def job_from(job_id: str, document: Mapping[str, Any]) -> Job:
    """The job in `document`, without values that cannot be read."""
    values: dict[str, Any] = {}
    damaged: list[str] = []
    for name, is_sound in _RULES:
        value = given(document, name)
        if value is None:
            continue
        if is_sound(value):
            values[name] = value
        else:
            damaged.append(name)

    if given(document, "share_revoked_at") is not None:
        # The owner ended the link, even if a worker has written it since.
        values.pop("short_id", None)
        values.pop("share_expires_at", None)
    if "share_expires_at" in damaged:
        values.pop("short_id", None)  # Such a link shows nothing.
    missing = [name for name in ("status", "created_at") if name not in values and name not in damaged]
    if damaged or missing:
        log.warning("job_document_damaged", job_id=job_id, damaged=damaged, missing=missing)
        values["damaged_paths"] = frozenset(medium for medium in Medium if medium.path_field in damaged)
    return Job(
        id=job_id,
        user_id=document["user_id"],
        posters=_pictures(document, "posters"),
        previews=_pictures(document, "previews"),
        views=_pictures(document, "views"),
        storyboards=_pictures(document, "storyboards"),
        playable=_playable(document),
        **values,
    )


def _pictures(document: Mapping[str, Any], name: str) -> dict[Medium, str | None]:
    """The known pictures. Damaged entries are skipped and not logged: we write them, and tiles work without."""
    known = document.get(name)
    if not isinstance(known, Mapping):
        return {}
    found = {medium: known[medium] for medium in Medium if medium in known}
    return {medium: path for medium, path in found.items() if path is None or (path and _is_short_text(path))}


def _playable(document: Mapping[str, Any]) -> dict[Medium, bool]:
    known = document.get("playable")
    if not isinstance(known, Mapping):
        return {}
    return {medium: known[medium] for medium in Medium if isinstance(known.get(medium), bool)}


def is_deleted(document: Fields) -> bool:
    """Whether the job is deleted. A live job's `deleted_at` is absent or null."""
    return document.get("deleted_at") is not None


def is_real_time(value: object) -> TypeGuard[datetime]:
    """Whether something can have happened then. At either end of the calendar, sums with a time fail."""
    return isinstance(value, datetime) and _FIRST <= value < _END


def is_owned(document: Fields, owner: str) -> bool:
    """Whether this is a job of `owner`, live or deleted. A mark at no real time makes it neither."""
    mark = document.get("deleted_at")
    return document.get("user_id") == owner and (mark is None or is_real_time(mark))


def is_live(document: Fields, owner: str) -> bool:
    """Whether this is a job of `owner` that is not deleted."""
    return bool(document) and document.get("user_id") == owner and not is_deleted(document)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT


def _is_time(value: object) -> bool:
    return isinstance(value, datetime)


def _is_yes_or_no(value: object) -> bool:
    return isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_integer(value) or (isinstance(value, float) and math.isfinite(value))


_RULES: tuple[tuple[str, Callable[[object], bool]], ...] = (
    *((name, _is_short_text) for name in _TEXTS),
    *((name, _is_text) for name in FREE_TEXTS),
    *((name, _is_time) for name in _TIMES),
    *((name, _is_integer) for name in _INTEGERS),
    ("credits_charged", _is_number),
    ("credits_refunded", _is_number),
    ("name", is_name),
    ("share_name", _is_yes_or_no),
)
"""Which values of a job's fields can be shown."""
