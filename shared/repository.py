"""Jobs in Firestore. Nothing else touches Firestore."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared import log
from shared.documents import is_deleted, job_from
from shared.errors import BadRequest, NotFound, Unavailable
from shared.job import Job, can_own_media, is_job_id, newest_first
from shared.outages import FIRESTORE_TIMEOUT, firestore_limits, outages
from shared.pagination import ListQuery, Page, Position
from shared.purge import BucketPurge, Deletion, PurgeState

_LARGEST_BATCH = 300
_MANY_DELETED = 100
_MOST_TRIES = 8


class JobRepository:
    """Every method raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client, pool: Executor) -> None:
        self._client = client
        self._jobs = client.collection("jobs")
        self._pool = pool

    def get(self, user_id: str, job_id: str) -> Job:
        """A live job of the user; NotFound for everything else. Costs one read."""
        _, document = self._owned(user_id, job_id)
        if is_deleted(document):
            raise NotFound
        return job_from(job_id, document)

    def get_many(self, user_id: str, job_ids: Sequence[str]) -> list[Job]:
        """Those of the jobs that are the user's and live, newest first. Costs one read an id."""
        references = [self._jobs.document(job_id) for job_id in job_ids if is_job_id(job_id)]
        if not references:
            return []
        with outages("Firestore"):
            snapshots = list(self._client.get_all(references, **firestore_limits()))
        documents = ((snapshot.id, _document(snapshot)) for snapshot in snapshots)
        jobs = [
            job_from(job_id, document)
            for job_id, document in documents
            if document.get("user_id") == user_id and not is_deleted(document)
        ]
        return sorted(jobs, key=newest_first, reverse=True)

    def page(self, query: ListQuery) -> Page:
        """A page of the user's live jobs, newest first, with the count of all that the query is about.

        Reads the jobs of the page and the deleted ones passed over on the way. A page asked for by its number
        instead of a cursor reads the jobs before it too, as an offset would be charged:
        https://firebase.google.com/docs/firestore/pricing#operations
        """
        with outages("Firestore"):
            if query.after is None and query.page > 1:
                return self._numbered_page(query)
            counting = [self._pool.submit(self._count, count) for count in self._counts(query)]
            walk = self._start(query)
            jobs = walk.take(query.page_size)
            everyone, deleted = (count.result(FIRESTORE_TIMEOUT) for count in counting)
            return self._finish(query, walk, jobs, max(0, everyone - deleted))

    def mark_deleted(self, user_id: str, job_id: str, now: datetime) -> Deletion:
        """Mark the job and its pending purge in one write; give the first deletion if there was one already.

        Raises NotFound if there is no such job of the user.
        """
        for _ in range(_MOST_TRIES):
            snapshot, document = self._owned(user_id, job_id)
            mark = _mark(user_id, now, document)
            deletion = _deletion(job_id, {**document, **mark})
            if not mark and deletion:
                return deletion
            # Whoever wrote the job since we read it goes first: a progress report, or another delete.
            unchanged = self._client.write_option(last_update_time=snapshot.update_time)
            try:
                with outages("Firestore"):
                    self._jobs.document(job_id).update(mark, option=unchanged, **firestore_limits())
            except (FailedPrecondition, Aborted):
                continue
            if deletion:
                return deletion
        raise Unavailable("The job, which is being written by others,")

    def deletion(self, job_id: str) -> Deletion | None:
        """The job's deletion, or None if there is no such job or it is live."""
        with outages("Firestore"):
            snapshot = self._jobs.document(job_id).get(**firestore_limits())
        return _deletion(job_id, _document(snapshot))

    def record_purge(self, job_id: str, buckets: Sequence[BucketPurge], now: datetime) -> PurgeState:
        """Add one attempt to the job's audit record. The purge is done if no bucket has an error."""
        done = all(bucket.error is None for bucket in buckets)
        state = PurgeState.DONE if done else PurgeState.PENDING
        changes: dict[str, Any] = {
            "purge.state": state.value,
            "purge.attempts": firestore.Increment(1),
            "purge.finished_at": now if done else None,
        }
        for bucket in buckets:
            path = self._client.field_path("purge", "buckets", bucket.bucket)
            changes[f"{path}.objects"] = firestore.Increment(bucket.objects)
            changes[f"{path}.bytes"] = firestore.Increment(bucket.size)
            changes[f"{path}.error"] = bucket.error
        with outages("Firestore"):
            # Not tried again here: if it was written and only the answer was lost, the counts would double.
            self._jobs.document(job_id).update(changes, **firestore_limits() | {"retry": None})
        return state

    def pending_purges(self, before: datetime, limit: int) -> list[Deletion]:
        """Deletions requested before that time whose purge is still pending, oldest first.

        Costs one read for each that it gives, however many jobs there are.
        """
        query = (
            self._jobs.where(filter=FieldFilter("purge.state", "==", PurgeState.PENDING.value))
            .where(filter=FieldFilter("purge.requested_at", "<", before))
            .order_by("purge.requested_at")
            .limit(limit)
        )
        with outages("Firestore"):
            snapshots = query.get(**firestore_limits())
        found = (_deletion(snapshot.id, _document(snapshot)) for snapshot in snapshots)
        return [deletion for deletion in found if deletion]

    def _numbered_page(self, query: ListQuery) -> Page:
        # Counted first: a number beyond the last page must not cost a walk through all of the user's jobs.
        everyone, deleted = self._pool.map(self._count, self._counts(query), timeout=FIRESTORE_TIMEOUT)
        total = max(0, everyone - deleted)
        before = (query.page - 1) * query.page_size
        if before >= total:
            return Page([], total, query.page, None)
        walk = self._start(query)
        walk.skip(before)
        return self._finish(query, walk, walk.take(query.page_size), total)

    def _finish(self, query: ListQuery, walk: _Walk, jobs: list[Job], total: int) -> Page:
        number, before = query.page, (query.page - 1) * query.page_size
        if query.after is not None:
            number, before = query.after.page, query.after.shown
        shown = before + len(jobs)
        # The count may say that this is the last page although a job that was shown has gone meanwhile: then
        # look for one more, passing over deleted ones.
        more = not walk.exhausted and (shown < total or walk.has_more())
        last = walk.last
        if not more or last is None:
            return Page(jobs, total, number, None)
        return Page(jobs, total, number, Position(last[0], last[1], number + 1, shown))

    def _start(self, query: ListQuery) -> _Walk:
        ordered = (
            _filtered(self._jobs, query)
            .order_by("created_at", direction=firestore.Query.DESCENDING)
            .order_by("__name__", direction=firestore.Query.DESCENDING)
        )
        position = query.after
        if position is None:
            return _Walk(ordered)
        reference = self._jobs.document(position.job_id)
        if position.created_at is not None:
            after: Any = {"created_at": position.created_at, "__name__": reference}
        else:
            after = reference.get(**firestore_limits())
            if (after.to_dict() or {}).get("user_id") != query.user_id:
                raise BadRequest("cursor is not one that this list gave for this user and filter.")
        return _Walk(ordered, after)

    def _counts(self, query: ListQuery) -> tuple[firestore.Query, firestore.Query]:
        """All of the user's jobs under the filter, and the deleted ones: nothing marks the live ones."""
        jobs = _filtered(self._jobs, query)
        # Ordered by what the list is ordered by, so that what the list cannot show is not counted
        # either, and by the same index.
        return (
            jobs.order_by("created_at", direction=firestore.Query.DESCENDING),
            jobs.where(filter=FieldFilter("deleted_at", "!=", None)).order_by("deleted_at").order_by("created_at"),
        )

    def _count(self, query: firestore.Query) -> int:
        with outages("Firestore"):
            result = query.count(alias="jobs").get(**firestore_limits())
        return int(result[0][0].value)  # type: ignore[index]  # one row of one aggregation

    def _owned(self, user_id: str, job_id: str) -> tuple[Any, dict[str, Any]]:
        if not is_job_id(job_id):
            raise NotFound
        with outages("Firestore"):
            snapshot = self._jobs.document(job_id).get(**firestore_limits())
        document = _document(snapshot)
        if document.get("user_id") != user_id:
            raise NotFound
        return snapshot, document


class _Walk:
    """Goes through a user's jobs in order, passing over the deleted ones.

    Reads no more documents than asked for, but where very many deleted ones lie in a row: then it reads ahead
    by at most half of what it has passed over, so that the requests stay few.
    """

    def __init__(self, query: firestore.Query, after: Any = None) -> None:
        self._query = query
        self._after = after
        self.exhausted = False
        self.last: tuple[str, datetime | None] | None = None
        """Id and time of the last job walked over, deleted or not."""

    def take(self, count: int) -> list[Job]:
        jobs: list[Job] = []
        for snapshot, document in self._documents(count, self._query):
            self._pass(snapshot, document)
            if not is_deleted(document):
                jobs.append(job_from(snapshot.id, document))
            if len(jobs) == count:
                break
        return jobs

    def skip(self, count: int) -> None:
        found = 0
        for snapshot, document in self._documents(count, self._query.select(["created_at", "deleted_at"])):
            self._pass(snapshot, document)
            found += not is_deleted(document)
            if found == count:
                break

    def has_more(self) -> bool:
        """Whether a live job follows. Stays where it is."""
        return any(not is_deleted(document) for _, document in self._documents(1, self._query))

    def _pass(self, snapshot: Any, document: dict[str, Any]) -> None:
        created_at = document.get("created_at")
        self.last = (snapshot.id, created_at if isinstance(created_at, datetime) else None)
        self._after = snapshot

    def _documents(self, missing: int, query: firestore.Query) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Documents from where the walk stands, in batches no larger than the live jobs still missing."""
        after, passed_over = self._after, 0
        while missing > 0:
            limit = missing if passed_over < _MANY_DELETED else max(missing, passed_over // 2)
            limit = min(limit, _LARGEST_BATCH)
            rest = query.start_after(after) if after is not None else query
            batch = rest.limit(limit).get(**firestore_limits())
            for snapshot in batch:
                document = _document(snapshot)
                deleted = is_deleted(document)
                passed_over += deleted
                missing -= not deleted
                yield snapshot, document
            if len(batch) < limit:
                self.exhausted = True
                return
            after = batch[-1]


def _filtered(jobs: firestore.CollectionReference, query: ListQuery) -> firestore.Query:
    mine: firestore.Query = jobs.where(filter=FieldFilter("user_id", "==", query.user_id))
    if len(query.statuses) == 1:
        return mine.where(filter=FieldFilter("status", "==", query.statuses[0].value))
    if query.statuses:
        return mine.where(filter=FieldFilter("status", "in", [status.value for status in query.statuses]))
    return mine


def _document(snapshot: Any) -> dict[str, Any]:
    """The snapshot's fields; none at all where there is no document. `to_dict` copies, so call it once."""
    return snapshot.to_dict() or {}


def _mark(user_id: str, now: datetime, document: dict[str, Any]) -> dict[str, Any]:
    """What a delete has to write: all of the mark, or what others who deleted the job before left out."""
    mark: dict[str, Any] = {}
    if not isinstance(document.get("deleted_at"), datetime):
        mark |= {"deleted_at": now, "deleted_by": user_id}
    if _purge_state(document) is None:
        purge: dict[str, Any] = {"state": PurgeState.PENDING.value, "requested_at": now, "attempts": 0}
        if not can_own_media(user_id):
            purge |= {"state": PurgeState.FAILED.value, "error": "the owner's id can own no media"}
        mark["purge"] = purge
    return mark


def _purge_state(document: dict[str, Any]) -> PurgeState | None:
    purge = document.get("purge")
    state = purge.get("state") if isinstance(purge, dict) else None
    return PurgeState(state) if isinstance(state, str) and state in set(PurgeState) else None


def _deletion(job_id: str, document: dict[str, Any]) -> Deletion | None:
    """What the document says of a deletion. The list hides a job that has any `deleted_at`, but files go only
    on a real time and a real owner.
    """
    user_id, deleted_at = document.get("user_id"), document.get("deleted_at")
    if not isinstance(user_id, str) or not isinstance(deleted_at, datetime):
        if document.get("purge") is not None or deleted_at is not None:
            log.warning("deletion_damaged", job_id=job_id)
        return None
    purge = _purge_state(document) or PurgeState.PENDING
    return Deletion(job_id=job_id, user_id=user_id, deleted_at=deleted_at, purge=purge)
