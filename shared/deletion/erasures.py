"""Erasures, of all of a user's jobs: what was asked for, and how far it has come.

`erasures/{id}`, a document for each accepted wish, stays for ever.
"""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from google.api_core.exceptions import AlreadyExists
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared import log
from shared.deletion.purge import until_next_sweep
from shared.errors import TooManyRequests
from shared.jobs.amending import Document, amend, read, update_unless_changed
from shared.jobs.documents import fields
from shared.jobs.job import rfc3339
from shared.outages import fetched, firestore_limits, outages

WATCHED_FOR = timedelta(days=1)
"""How long sweeps look for jobs that were created before the request and were written later."""
_MOST_LEFT = 300
"""Most jobs left alone whose ids an erasure keeps. Its document takes 1 MiB, and an id 1,500 bytes at the most.

https://firebase.google.com/docs/firestore/quotas
"""
BETWEEN = timedelta(minutes=1)
"""How long after one request the next is taken. Each has all of the user's jobs gone through, deleted ones too."""
BETWEEN_PENDING = timedelta(minutes=10)
"""The same while the earlier one is being carried out, so that few go through the same jobs at a time."""

_UNWATCHED: Document = {"sweep_at": None}


class ErasureState(StrEnum):
    PENDING = "pending"
    """Jobs may be live that were there at the request."""
    DONE = "done"
    """Each of them is deleted. Their files go as after any delete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    id: str
    user_id: str
    requested_at: datetime
    requested_by: str
    state: ErasureState
    jobs: int
    """How many live jobs there were at the request."""
    deleted: int
    """How many of them are deleted."""
    finished_at: datetime | None
    passes: int
    """How often all jobs were gone through."""
    after: str | None
    """The id of the last job that was dealt with in this pass."""
    left: tuple[str, ...]
    """Jobs that this pass, or the last one until the next begins, left alone although they were live; not all if
    they are many."""
    sweeps: int
    sweep_at: datetime | None

    def as_json(self) -> dict[str, object]:
        """The progress that the owner is told."""
        return {
            "erasure": self.id,
            "requested_at": rfc3339(self.requested_at),
            "state": self.state.value,
            "jobs": self.jobs,
            "deleted": self.deleted,
            "finished_at": rfc3339(self.finished_at),
        }

    @property
    def place(self) -> tuple[int, str | None]:
        return self.passes, self.after


def refusal(last: Erasure, now: datetime) -> TooManyRequests | None:
    """What to raise for another request of its user's; None if so much time has passed that it can be taken."""
    pending = last.state is ErasureState.PENDING
    between = BETWEEN_PENDING if pending else BETWEEN
    left = min(last.requested_at + between - now, between)
    if left <= timedelta():
        return None
    return TooManyRequests(
        math.ceil(left.total_seconds()),
        "Your last request is still being carried out. To ask again, please wait some minutes."
        if pending
        else "You asked for this less than a minute ago. To ask again, please wait a minute.",
    )


class Erasures:
    """Every method raises Unavailable when Firestore is away.

    `sweep_after` is how long an erasure may make no progress before a sweep requests it again.
    """

    def __init__(self, client: firestore.Client, sweep_after: timedelta) -> None:
        self._client = client
        self._erasures = client.collection("erasures")
        self._sweep_after = sweep_after

    def request(self, user_id: str, jobs: int, last: Erasure | None, *, by: str, now: datetime) -> Erasure:
        """Record that `by` asked to delete the user's `jobs` live jobs. Costs a write, or two.

        `last` is the user's last erasure, as `latest` returned it. If it is done, sweeps stop looking for jobs on
        its behalf: this one covers them. If a run of it goes on, sweeps may begin again, which does no harm.

        Of those of the same clock minute one is taken. Raises TooManyRequests for another, of which `latest` does
        not yet know when many ask at once. A repetition, with the same `now`, returns what is there.
        """
        document: Document = {
            "user_id": user_id,
            "requested_at": now,
            "requested_by": by,
            "state": ErasureState.PENDING.value,
            "jobs": jobs,
            **dict.fromkeys(("deleted", "found", "failed", "passes", "sweeps"), 0),
            "after": None,
            "left": [],
            "finished_at": None,
            "sweep_at": now + self._sweep_after,
        }
        minute = int(now.timestamp()) // 60
        erasure_id = hashlib.sha256(f"{user_id} {minute}".encode()).hexdigest()[:32]
        is_covered = last and last.state is ErasureState.DONE and last.sweep_at and last.requested_at <= now
        try:
            self._create(erasure_id, document, covers=last.id if last and is_covered else None)
        except AlreadyExists:
            found = _erasure(erasure_id, self._read(erasure_id))
            # The same time means that the answer to this write was lost.
            if found.requested_at != now and (refused := refusal(found, now)):
                raise refused from None
            return found
        return _erasure(erasure_id, document)

    def of(self, erasure_id: str) -> Erasure | None:
        """The erasure, or None. Costs a read."""
        document = self._read(erasure_id)
        return _erasure(erasure_id, document) if document else None

    def latest(self, user_id: str) -> Erasure | None:
        """The user's last one, or None. Costs a read."""
        query = self._erasures.where(filter=FieldFilter("user_id", "==", user_id))
        newest = query.order_by("requested_at", direction=firestore.Query.DESCENDING).limit(1)
        return next((_erasure(one.id, fields(one)) for one in fetched(newest)), None)

    def due(self, now: datetime, limit: int) -> list[Erasure]:
        """Those to be requested again, the longest overdue first. Costs a read for each, at least one.

        One that cannot be read is logged and put out of the way, which costs a write.
        """
        found: list[Erasure] = []
        for erasure_id, document in self._overdue(now, limit):
            try:
                found.append(_erasure(erasure_id, document))
            except (KeyError, TypeError, ValueError):
                log.error("erasure_damaged", erasure=erasure_id)
                self._change(erasure_id, lambda _: _UNWATCHED)
        return found

    def advance(
        self,
        erasure: Erasure,
        after: str | None,
        *,
        deleted: int,
        failed: int,
        left: Sequence[str],
        now: datetime,
    ) -> Erasure | None:
        """Record that the jobs from its place up to `after` were dealt with, so many with success; None ends the
        pass. Those in `left` are live.

        The erasure is done with the first pass without failures. Returns the changed erasure, or None if another
        run was first, also with the same step. Costs a read and a write.
        """
        key = uuid.uuid4().hex  # by which this run knows its own step, also if the answer was lost

        def step(document: Document) -> Document:
            if not document or _erasure(erasure.id, document).place != erasure.place:
                return {}
            found = document["found"] + deleted
            most = max(document["deleted"], found)
            failures = document["failed"] + failed
            before = document.get("left", []) if erasure.after is not None else []
            kept: Document = {"left": [*before, *left][:_MOST_LEFT], "step": key}
            if after is not None:
                moved = {**kept, "after": after, "found": found, "failed": failures, "deleted": most}
                return {**moved, "sweep_at": now + self._sweep_after}
            ended = {**kept, "after": None, "found": 0, "failed": 0, "deleted": most}
            ended["passes"] = erasure.passes + 1
            sweep_at = now + until_next_sweep(document["sweeps"], self._sweep_after)
            ended["sweep_at"] = sweep_at if failures or _is_watched(document, now) else None
            if failures:
                return ended
            finished_at = document["finished_at"] or max(now, erasure.requested_at)  # clocks differ
            return {**ended, "state": ErasureState.DONE.value, "finished_at": finished_at}

        changed = self._change(erasure.id, step)
        return _erasure(erasure.id, changed) if changed.get("step") == key else None

    def record_sweep(self, erasure: Erasure, now: datetime) -> None:
        """Record that a sweep requested it again, and postpone the next sweep, if one is needed."""

        def step(document: Document) -> Document:
            if document.get("sweep_at") != erasure.sweep_at:
                return {}
            if document["state"] == ErasureState.DONE and not _is_watched(document, now):
                return _UNWATCHED
            sweeps = document["sweeps"] + 1
            return {"sweeps": sweeps, "sweep_at": now + until_next_sweep(sweeps, self._sweep_after)}

        self._change(erasure.id, step)

    def _create(self, erasure_id: str, document: Document, covers: str | None) -> None:
        """Create it, and in the same batch end the sweeps of the erasure that it covers. Raises AlreadyExists."""
        batch = self._client.batch()
        batch.create(self._erasures.document(erasure_id), document)
        if covers:
            # Whatever has changed in it meanwhile: what is done stays done.
            batch.update(self._erasures.document(covers), _UNWATCHED)
        with outages("Firestore"):
            batch.commit(**firestore_limits())

    def _read(self, erasure_id: str) -> Document:
        return fields(read(self._erasures.document(erasure_id)))

    def _overdue(self, now: datetime, limit: int) -> list[tuple[str, Document]]:
        overdue = self._erasures.where(filter=FieldFilter("sweep_at", "<=", now))
        return [(one.id, fields(one)) for one in fetched(overdue.order_by("sweep_at").limit(limit))]

    def _change(self, erasure_id: str, step: Callable[[Document], Document]) -> Document:
        def write(snapshot: Any, document: Document) -> Document:
            changes = step(document)
            update_unless_changed(self._client, snapshot, changes)
            return changes

        return amend(self._erasures.document(erasure_id), write)


def _erasure(erasure_id: str, document: Document) -> Erasure:
    names = ("user_id", "requested_at", "requested_by", "jobs", "deleted", "finished_at", "passes", "after")
    told = {name: document[name] for name in (*names, "sweeps", "sweep_at")}
    # Earlier code recorded nothing of what it left.
    left = tuple(document.get("left", ()))
    return Erasure(id=erasure_id, state=ErasureState(document["state"]), left=left, **told)


def _is_watched(document: Document, now: datetime) -> bool:
    return bool(now < document["requested_at"] + WATCHED_FOR)
