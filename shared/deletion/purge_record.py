"""The `purge` map of a deleted job, and what each step writes into it.

Each step takes the map and returns a changed one. A step with a `key` counts once, however often it is written:
a caller who lost the response to a write repeats it. The map remembers the most recent keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.deletion.purge import PurgeState, until_next_sweep
from shared.jobs.job import can_own_media

if TYPE_CHECKING:
    from shared.storage.removal import BucketPurge

Record = dict[str, Any]
_KEYS_KEPT = 16
_LARGEST = 2**53
"""No real count is larger. Firestore's integers end at 2**63."""


def requested(user_id: str, now: datetime, sweep_after: timedelta) -> Record:
    """The record of a delete. There is nothing to purge for an owner who cannot own media."""
    if not can_own_media(user_id):
        error = "the owner's id can own no media"
        return {"state": PurgeState.CLOSED.value, "requested_at": now, "attempts": 0, "error": error}
    return {
        "state": PurgeState.PENDING.value,
        "requested_at": now,
        "attempts": 0,
        "sweeps": 0,
        "sweep_at": now + sweep_after,
    }


def begun(record: Record, key: str, now: datetime) -> Record:
    """Counts one more run. It is written before the run removes anything, so a killed run leaves a trace."""
    key = f"begun {key}"
    if _is_in(record, key):
        return record
    return _with(record, key, attempts=_number(record, "attempts") + 1, started_at=now)


def ended(record: Record, key: str, buckets: Sequence[BucketPurge], now: datetime) -> Record:
    """Adds what one run removed. The purge is done if no bucket has an error."""
    key = f"ended {key}"
    if _is_in(record, key):
        return record
    before = _map(record, "buckets")
    after = {**before, **{bucket.bucket: _added(_map(before, bucket.bucket), bucket) for bucket in buckets}}
    if any(bucket.error for bucket in buckets):
        return _with(record, key, buckets=after, state=PurgeState.PENDING.value, finished_at=None)
    return _with(record, key, buckets=after, state=PurgeState.DONE.value, finished_at=now)


def late_upload_removed(record: Record, key: str, size: int, now: datetime) -> Record:
    """Counts an object that arrived after the delete and was removed."""
    if _is_in(record, key):
        return record
    objects, total = _number(record, "late_objects") + 1, _number(record, "late_bytes") + size
    return _with(record, key, late_objects=objects, late_bytes=total, late_at=now)


def swept(record: Record, due: datetime | None, now: datetime, sweep_after: timedelta) -> Record:
    """Counts a sweep that requested the purge due at that time, and schedules a later one."""
    if record.get("sweep_at") != due:
        return record  # already recorded
    sweeps = _number(record, "sweeps") + 1
    return {**record, "sweeps": sweeps, "sweep_at": now + until_next_sweep(sweeps, sweep_after)}


def closed(record: Record) -> Record:
    """Closes a purge that belongs to no deletion, so that it does not block others."""
    error = "the job is not deleted, or not in a way that lets files go"
    return {**record, "state": PurgeState.CLOSED.value, "error": error}


def reopened(record: Record, now: datetime) -> Record:
    """Makes a finished purge due now, because objects are left or may be left."""
    return {"requested_at": now, "attempts": 0, **record, "state": PurgeState.PENDING.value, "sweep_at": now}


def _added(before: Record, bucket: BucketPurge) -> Record:
    return {
        "objects": _number(before, "objects") + bucket.objects,
        "bytes": _number(before, "bytes") + bucket.size,
        "error": bucket.error,
    }


def _is_in(record: Record, key: str) -> bool:
    return key in _keys(record)


def _with(record: Record, key: str, **changes: object) -> Record:
    return {**record, **changes, "recorded": [*_keys(record), key][-_KEYS_KEPT:]}


def _keys(record: Record) -> list[Any]:
    keys = record.get("recorded")
    return keys if isinstance(keys, list) else []


def _map(record: Record, name: str) -> Record:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _number(record: Record, name: str) -> int:
    value: Any = record.get(name)
    is_sound = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return value if is_sound else 0
