"""Firestore document -> Deletion. Nothing else decides whether a job's document says that it is deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from shared import log
from shared.deletion.purge import Deletion, PurgeState
from shared.deletion.purge_record import requested

_CLOSED_BEFORE = "failed"
"""What older documents say of a closed purge."""


def mark_of_deletion(
    user_id: str, now: datetime, document: dict[str, Any], sweep_after: timedelta
) -> dict[str, Any]:
    """What a delete must write: the whole mark, or the parts that an earlier delete by other code left out.

    A live job may still have the purge of an earlier deletion that was undone. That purge is ignored.
    """
    mark: dict[str, Any] = {}
    first = not isinstance(document.get("deleted_at"), datetime)
    if first:
        mark |= {"deleted_at": now, "deleted_by": user_id}
    if first or _purge_state(_purge(document)) is None:
        mark["purge"] = requested(user_id, now, sweep_after)
    return mark


def deletion_from(job_id: str, document: dict[str, Any]) -> Deletion | None:
    """The deletion in a document. The list hides a job that has any `deleted_at`, but files are removed only if
    the time and the owner are valid.
    """
    user_id, deleted_at = document.get("user_id"), document.get("deleted_at")
    if not isinstance(user_id, str) or not isinstance(deleted_at, datetime):
        if document.get("purge") is not None or deleted_at is not None:
            log.warning("deletion_damaged", job_id=job_id)
        return None
    purge = _purge(document)
    sweeps, sweep_at = purge.get("sweeps"), purge.get("sweep_at")
    return Deletion(
        job_id=job_id,
        user_id=user_id,
        deleted_at=deleted_at,
        purge=_purge_state(purge) or PurgeState.PENDING,
        sweeps=sweeps if isinstance(sweeps, int) else 0,
        sweep_at=sweep_at if isinstance(sweep_at, datetime) else None,
    )


def _purge(document: dict[str, Any]) -> dict[str, Any]:
    purge = document.get("purge")
    return purge if isinstance(purge, dict) else {}


def _purge_state(purge: dict[str, Any]) -> PurgeState | None:
    state = purge.get("state")
    if state == _CLOSED_BEFORE:
        return PurgeState.CLOSED
    return PurgeState(state) if isinstance(state, str) and state in set(PurgeState) else None
