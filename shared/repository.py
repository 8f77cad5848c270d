"""Jobs in Firestore. Nothing else touches Firestore, but for the walk and the counts that this begins."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.counts import Counting
from shared.documents import deletion_from, fields, is_deleted, job_from, mark_of_deletion
from shared.errors import BadRequest, NotFound, Unavailable
from shared.job import Job, is_job_id, newest_first
from shared.outages import firestore_limits, outages
from shared.pagination import ListQuery, Page, Position
from shared.purge import BucketPurge, Deletion, PurgeState
from shared.queries import in_order
from shared.walk import Walk

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
        documents = ((snapshot.id, fields(snapshot)) for snapshot in snapshots)
        jobs = [
            job_from(job_id, document)
            for job_id, document in documents
            if document.get("user_id") == user_id and not is_deleted(document)
        ]
        return sorted(jobs, key=newest_first, reverse=True)

    def page(self, query: ListQuery) -> Page:
        """A page of the user's live jobs, with the count of all that the query is about.

        The newest come first; what is searched for by id comes in the order of the ids. Reads the jobs of the
        page and the deleted ones passed over on the way. A page asked for by its number instead of a cursor reads
        the jobs before it too, as an offset would be charged:
        https://firebase.google.com/docs/firestore/pricing#operations
        """
        with outages("Firestore"), Counting(self._jobs, query, self._pool) as counting:
            if query.ids is not None:
                page = self._chosen(query, query.ids)
            elif query.after is None and query.page > 1:
                page = self._numbered_page(query, counting)
            else:
                walk = self._start(query)
                page = self._finish(query, walk, walk.take(query.page_size), counting.total())
            return replace(page, counts=counting.by_status())

    def mark_deleted(self, user_id: str, job_id: str, now: datetime) -> Deletion:
        """Mark the job and its pending purge in one write; give the first deletion if there was one already.

        Raises NotFound if there is no such job of the user.
        """
        for _ in range(_MOST_TRIES):
            snapshot, document = self._owned(user_id, job_id)
            mark = mark_of_deletion(user_id, now, document)
            written = not mark or self._write_unless_changed(snapshot, mark)
            deletion = deletion_from(job_id, {**document, **mark})
            if written and deletion:
                return deletion
        raise Unavailable("The job, which is being written by others,")

    def deletion(self, job_id: str) -> Deletion | None:
        """The job's deletion, or None if there is no such job or it is live."""
        with outages("Firestore"):
            snapshot = self._jobs.document(job_id).get(**firestore_limits())
        return deletion_from(job_id, fields(snapshot))

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
        found = (deletion_from(snapshot.id, fields(snapshot)) for snapshot in snapshots)
        return [deletion for deletion in found if deletion]

    def _chosen(self, query: ListQuery, job_ids: Sequence[str]) -> Page:
        found = self.get_many(query.user_id, job_ids)
        jobs = [job for job in found if not query.statuses or job.status in query.statuses]
        return Page(jobs, len(jobs), 1, None)

    def _numbered_page(self, query: ListQuery, counting: Counting) -> Page:
        # Counted first: a number beyond the last page must not cost a walk through all of the user's jobs.
        total = counting.total()
        before = (query.page - 1) * query.page_size
        if before >= total:
            return Page([], total, query.page, None)
        walk = self._start(query)
        walk.skip(before)
        return self._finish(query, walk, walk.take(query.page_size), total)

    def _finish(self, query: ListQuery, walk: Walk, jobs: list[Job], total: int) -> Page:
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

    def _start(self, query: ListQuery) -> Walk:
        ordered = in_order(self._jobs, query)
        position = query.after
        if position is None:
            return Walk(ordered)
        reference = self._jobs.document(position.job_id)
        if query.id_prefix is not None:
            after: Any = {"__name__": reference}
        elif position.created_at is not None:
            after = {"created_at": position.created_at, "__name__": reference}
        else:
            after = reference.get(**firestore_limits())
            if fields(after).get("user_id") != query.user_id:
                raise BadRequest("cursor is not one that this list gave for this user and filter.")
        return Walk(ordered, after)

    def _write_unless_changed(self, snapshot: Any, changes: dict[str, Any]) -> bool:
        """Whoever wrote the job since it was read goes first: a progress report, or another delete."""
        unchanged = self._client.write_option(last_update_time=snapshot.update_time)
        try:
            with outages("Firestore"):
                snapshot.reference.update(changes, option=unchanged, **firestore_limits())
        except (FailedPrecondition, Aborted):
            return False
        return True

    def _owned(self, user_id: str, job_id: str) -> tuple[Any, dict[str, Any]]:
        if not is_job_id(job_id):
            raise NotFound
        with outages("Firestore"):
            snapshot = self._jobs.document(job_id).get(**firestore_limits())
        document = fields(snapshot)
        if document.get("user_id") != user_id:
            raise NotFound
        return snapshot, document
