"""Jobs in progress that nobody has changed for a day. Sweeps tell operators of each of them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.jobs.amending import Document, read
from shared.jobs.documents import fields, is_deleted
from shared.jobs.job import FINAL_STATUSES
from shared.outages import fetched, firestore_limits, outages

STALLED_AFTER = timedelta(days=1)
"""How long a job in progress may be without a change."""
FIRST_LOOK_BACK = timedelta(days=7)
"""How long a job may have been stalled before the first sweep ever, to be told by it."""
_LONGEST_STRETCH = timedelta(hours=1)
"""A sweep that finds nothing moves the place if that is further back, because each looks at all changes since."""
_PLACE = ("updated_at", "status", "job_id")
_ORDER = ("updated_at", "status", "__name__")
"""The fields of a place, and what they are in a query."""


@dataclass(frozen=True, slots=True)
class StalledJob:
    job_id: str
    status: object
    updated_at: datetime
    is_deleted: bool

    @property
    def place(self) -> Document:
        return dict(zip(_PLACE, (self.updated_at, self.status, self.job_id), strict=True))


@dataclass(frozen=True, slots=True)
class Stalled:
    """What one sweep has to tell."""

    jobs: Sequence[StalledJob]
    """In the order of their last changes. A deleted job needs nobody."""
    move_to: Document | None
    """The place from which the next sweep goes on; None if it stays where it is."""


class StalledJobs:
    """Keeps, in `sweeps/stalled_jobs`, the place up to which jobs have been told. So nothing is written into jobs,
    and no job is left out after an outage.

    A job without `updated_at` or without `status` is not found. Every method raises Unavailable when Firestore is
    away.
    """

    def __init__(self, client: firestore.Client) -> None:
        self._jobs = client.collection("jobs")
        self._kept = client.collection("sweeps").document("stalled_jobs")

    def untold(self, now: datetime, limit: int) -> Stalled:
        """The first of those not told yet, at most `limit`. Costs a read for the place, one for each job, and one
        for each 1,000 jobs of any status that were last changed since the place, at least one.

        https://firebase.google.com/docs/firestore/pricing#operations
        """
        until = now - STALLED_AFTER
        place = self._place() or {"updated_at": until - FIRST_LOOK_BACK}
        found = self._after(place, until, limit)
        move_to = None
        if len(found) == limit:
            move_to = found[-1].place
        elif found or place["updated_at"] < until - _LONGEST_STRETCH:
            move_to = {"updated_at": until}
        return Stalled([job for job in found if not job.is_deleted], move_to)

    def record(self, told: Stalled) -> None:
        """Have the next sweep go on after what this one has told. Costs a write, or nothing."""
        if told.move_to is not None:
            self._move(told.move_to)

    def _place(self) -> Document:
        return fields(read(self._kept))

    def _move(self, place: Document) -> None:
        with outages("Firestore"):
            self._kept.set(place, **firestore_limits())

    def _after(self, place: Document, until: datetime, limit: int) -> list[StalledJob]:
        query: Any = self._jobs.where(filter=FieldFilter("updated_at", "<=", until))
        query = query.where(filter=FieldFilter("status", "not-in", [status.value for status in FINAL_STATUSES]))
        for order in _ORDER:
            query = query.order_by(order)
        start = {order: place[name] for order, name in zip(_ORDER, _PLACE, strict=True) if name in place}
        found = query.select((*_PLACE[:2], "deleted_at")).start_after(start).limit(limit)
        return [stalled_job(one.id, fields(one)) for one in fetched(found)]


def stalled_job(job_id: str, document: Document) -> StalledJob:
    return StalledJob(job_id, document["status"], document["updated_at"], is_deleted(document))
