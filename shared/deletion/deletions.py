"""Deletions of jobs in Firestore: their marks, the state of their purges, and dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import Aborted, AlreadyExists, FailedPrecondition, GoogleAPICallError
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared import log
from shared.deletion import purge_record
from shared.deletion.documents import deletion_from, mark_of_deletion
from shared.deletion.purge import Deletion, PurgeState
from shared.deletion.purge_record import Record
from shared.errors import Contended, NotFound
from shared.jobs.amending import BUSY, Document, amend, read, update_unless_changed
from shared.jobs.documents import fields, is_deleted
from shared.jobs.job import is_job_id
from shared.outages import firestore_limits, outages

if TYPE_CHECKING:
    from shared.storage.removal import BucketPurge

_PAGE = 300
_MOST_PAGES = 10
"""The most pages that one look for due purges reads when every purge on them is stuck."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a job's document says about the owner of its objects."""

    user_id: object
    is_deleted: bool
    deletion: Deletion | None
    """None also if the job is marked as deleted in a way that does not allow its files to be removed."""


class Deletions:
    """Every method raises Unavailable when Firestore is away.

    `sweep_after` is how long a purge may be pending before a sweep requests it again.
    """

    def __init__(self, client: firestore.Client, sweep_after: timedelta) -> None:
        self._client = client
        self._jobs = client.collection("jobs")
        self._dead_letters = client.collection("dead_letters")
        self._sweep_after = sweep_after

    def mark(self, user_id: str, job_id: str, now: datetime) -> Deletion:
        """Mark the job as deleted and its purge as pending, in one write. Returns the first deletion if there is
        one.

        Raises NotFound if the user has no such job.
        """
        if not is_job_id(job_id):
            raise NotFound

        def changes(document: Document) -> Document:
            if document.get("user_id") != user_id:
                raise NotFound
            return mark_of_deletion(user_id, now, document, self._sweep_after)

        deletion = deletion_from(job_id, self._write(job_id, changes))
        if deletion is None:
            raise Contended(BUSY)
        return deletion

    def of(self, job_id: str) -> Deletion | None:
        """The job's deletion, or None if the job is live or does not exist. Costs one read."""
        return deletion_from(job_id, fields(read(self._jobs.document(job_id))))

    def standings(self, job_ids: Sequence[str]) -> dict[str, Standing]:
        """The owner and deletion of each job. Unknown jobs are left out. Costs one read per id."""
        references = [self._jobs.document(job_id) for job_id in job_ids]
        with outages("Firestore"):
            asked = self._client.get_all(references, ["user_id", "deleted_at", "purge"], **firestore_limits())
            documents = {snapshot.id: fields(snapshot) for snapshot in asked if snapshot.exists}
        return {
            job_id: Standing(document.get("user_id"), is_deleted(document), deletion_from(job_id, document))
            for job_id, document in documents.items()
        }

    def begin_purge(self, job_id: str, owner: str, key: str, now: datetime) -> Deletion | None:
        """The job's deletion, or None as in `of`. Records one more run if the deletion is `owner`'s.

        `key` identifies the run. Costs one read and one write.
        """

        def changes(document: Document) -> Document:
            deletion = deletion_from(job_id, document)
            if deletion is None or deletion.user_id != owner:
                return {}
            return _changed(document, partial(purge_record.begun, key=key, now=now))

        return deletion_from(job_id, self._write(job_id, changes))

    def end_purge(self, job_id: str, key: str, buckets: Sequence[BucketPurge], now: datetime) -> PurgeState:
        """Add the run's results to the job's audit record. The purge is done if no bucket has an error."""
        self._amend(job_id, partial(purge_record.ended, key=key, buckets=buckets, now=now))
        return PurgeState.PENDING if any(bucket.error for bucket in buckets) else PurgeState.DONE

    def record_late_upload(self, job_id: str, key: str, size: int, now: datetime) -> None:
        """Record that an object of `size` bytes arrived after the delete and was removed."""
        self._amend(job_id, partial(purge_record.late_upload_removed, key=key, size=size, now=now))

    def record_sweep(self, deletion: Deletion, now: datetime) -> None:
        """Record that a sweep requested the purge again, and postpone the next sweep."""
        step = partial(purge_record.swept, due=deletion.sweep_at, now=now, sweep_after=self._sweep_after)
        self._amend(deletion.job_id, step)

    def reopen(self, job_id: str, now: datetime) -> None:
        """Make the purge pending and due now, because objects are left or may be left."""
        self._amend(job_id, partial(purge_record.reopened, now=now))

    def due(self, now: datetime, limit: int) -> list[Deletion]:
        """Pending purges that must be requested again, the longest overdue first.

        Closes pending purges that have no deletion, so that they do not come up again. If that write fails, it
        is logged and the purge is skipped. Costs one read per purge, at least one, however many jobs there are.
        """
        found: list[Deletion] = []
        query, wanted = self._query("purge.sweep_at", "<=", now), limit
        for _ in range(_MOST_PAGES):
            with outages("Firestore"):
                page = query.limit(wanted).get(**firestore_limits())
            stuck = 0
            for snapshot in page:
                deletion = deletion_from(snapshot.id, fields(snapshot))
                if deletion and is_job_id(snapshot.id):
                    found.append(deletion)
                elif not self._close(snapshot):
                    stuck += 1
            if not stuck or len(page) < wanted:
                break
            # Stuck purges come up on every look. Read past them to fill the limit.
            query, wanted = query.start_after(page[-1]), stuck
        return found

    def all_pending(self, before: datetime) -> Iterator[Deletion]:
        """Deletions requested before that time whose purge is still pending, oldest first, read page by page."""
        query, after = self._query("purge.requested_at", "<", before).limit(_PAGE), None
        while True:
            with outages("Firestore"):
                page = (query.start_after(after) if after else query).get(**firestore_limits())
            yield from _deletions(page)
            if len(page) < _PAGE:
                return
            after = page[-1]

    def record_dead_letter(self, message_id: str, letter: Document) -> None:
        """Keep a message that could not be processed. Recording it again changes nothing."""
        with outages("Firestore"):
            try:
                self._dead_letters.document(message_id).create(letter, **firestore_limits())
            except AlreadyExists:
                return

    def _close(self, snapshot: Any) -> bool:
        """Close a purge that has no deletion. Returns whether it is out of the way."""
        log.error("purge_without_deletion", job_id=snapshot.id)
        closed = {"purge": purge_record.closed(_record(fields(snapshot)))}
        try:
            update_unless_changed(self._client, snapshot, closed)
        except (FailedPrecondition, Aborted):
            return True  # another writer may have fixed it meanwhile
        except GoogleAPICallError:
            # The document may be full, for example. It must not hide the others.
            log.exception("purge_not_closed", job_id=snapshot.id)
            return False
        return True

    def _query(self, field: str, comparison: str, time: datetime) -> firestore.Query:
        return (
            self._jobs.where(filter=FieldFilter("purge.state", "==", PurgeState.PENDING.value))
            .where(filter=FieldFilter(field, comparison, time))
            .order_by(field)
        )

    def _amend(self, job_id: str, step: Callable[[Record], Record]) -> None:
        """Apply a step to the purge record if the job is still deleted: the deletion may have been undone
        meanwhile.
        """
        self._write(job_id, lambda document: _changed(document, step) if deletion_from(job_id, document) else {})

    def _write(self, job_id: str, changes: Callable[[Document], Document]) -> Document:
        """Write the changes computed from the document, if there are any. Returns the resulting document."""

        def write(snapshot: Any, document: Document) -> Document:
            changed = changes(document)
            if changed:
                update_unless_changed(self._client, snapshot, changed)
            return changed

        return amend(self._jobs.document(job_id), write)


def _deletions(snapshots: Iterable[Any]) -> list[Deletion]:
    found = (deletion_from(snapshot.id, fields(snapshot)) for snapshot in snapshots)
    return [deletion for deletion in found if deletion]


def _changed(document: Document, step: Callable[[Record], Record]) -> Document:
    """What a step changes in a document; empty if there is no deletion."""
    before = _record(document)
    after = step(before)
    return {} if after == before or not document else {"purge": after}


def _record(document: Document) -> Record:
    purge = document.get("purge")
    return purge if isinstance(purge, dict) else {}
