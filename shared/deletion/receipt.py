"""The receipt of a deletion: what its owner is told about it, also after the last copy is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.deletion.entry import Entry, buckets_of, is_deleted, unproved
from shared.jobs.job import rfc3339
from shared.settings import Bucket

if TYPE_CHECKING:
    from shared.storage.retention import Retention


def receipt(
    job_id: str, entry: Entry, buckets: Mapping[Bucket, str], kept: Callable[[str], Retention]
) -> dict[str, Any]:
    """The receipt as JSON. `kept` tells how long a bucket keeps what is removed from it.

    Of a deletion that was taken back, it proves nothing and sets no time.
    """
    if not is_deleted(entry):
        entry = unproved(entry)
        entry["buckets"] = {name: {**one, "removed_at": None} for name, one in buckets_of(entry).items()}
    found = buckets_of(entry)
    return {
        "job_id": job_id,
        "requested_at": _time(entry, "requested_at"),
        "requested_by": entry.get("requested_by"),
        "state": entry.get("state"),
        "buckets": {kind.value: _bucket(found.get(name, {}), name, kept) for kind, name in buckets.items()},
        "late_objects": entry.get("late_objects", 0),
        "late_bytes": entry.get("late_bytes", 0),
        "proved_empty_at": _time(entry, "proved_empty_at"),
        "left": entry.get("left", []),
    }


def _bucket(one: Entry, name: str, kept: Callable[[str], Retention]) -> dict[str, Any]:
    removed_at = one.get("removed_at")  # the last time: the copy of what was removed then goes last
    until = kept(name).kept_until(removed_at) if isinstance(removed_at, datetime) else None
    return {
        "objects": one.get("objects", 0),
        "bytes": one.get("bytes", 0),
        "proved_empty_at": _time(one, "proved_empty_at"),
        "recoverable_until": rfc3339(until),
    }


def _time(values: Entry, name: str) -> str | None:
    value = values.get(name)
    return rfc3339(value) if isinstance(value, datetime) else None
