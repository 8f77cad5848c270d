"""Reads live jobs from Firestore, starting the walk and the counts.

The only other modules that use Firestore are `amending`, `known_pictures`, `deletions`, `completion`, `shares`
with its `short_links`, and `views`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from google.cloud import firestore

from shared import log
from shared.errors import BadRequest, NotFound
from shared.jobs.counts import Counting
from shared.jobs.documents import fields, is_deleted, job_from
from shared.jobs.job import OTHER, Job, is_job_id, newest_first
from shared.jobs.pagination import JobPage, ListQuery, Position
from shared.jobs.queries import in_order
from shared.jobs.walk import Walk
from shared.outages import firestore_limits, outages

_MOST_LOGGED = 5


class JobRepository:
    """Every method raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client, pool: Executor) -> None:
        self._client = client
        self._jobs = client.collection("jobs")
        self._pool = pool

    def get(self, user_id: str, job_id: str) -> Job:
        """A live job of the user. Raises NotFound for anything else. Costs one read."""
        if not is_job_id(job_id):
            raise NotFound
        with outages("Firestore"):
            document = fields(self._jobs.document(job_id).get(**firestore_limits()))
        if document.get("user_id") != user_id or is_deleted(document):
            raise NotFound
        return job_from(job_id, document)

    def get_many(self, user_id: str, job_ids: Sequence[str]) -> list[Job]:
        """The user's live jobs among these ids, newest first, shortened for lists. Costs one read per id."""
        references = [self._jobs.document(job_id) for job_id in job_ids if is_job_id(job_id)]
        if not references:
            return []
        with outages("Firestore"):
            snapshots = self._client.get_all(references, **firestore_limits())
            documents = ((snapshot.id, fields(snapshot)) for snapshot in snapshots)
            jobs = [
                job_from(job_id, document).shortened()
                for job_id, document in documents
                if document.get("user_id") == user_id and not is_deleted(document)
            ]
        return sorted(jobs, key=newest_first, reverse=True)

    def page(self, query: ListQuery) -> JobPage:
        """A page of the user's live jobs and the count of all that match the query.

        The newest come first; a search by id is ordered by id. Reads the jobs of the page and the deleted jobs
        between them. A page requested by number instead of a cursor also reads the jobs before it, which costs as
        much as an offset: https://firebase.google.com/docs/firestore/pricing#operations
        Jobs of unknown statuses are filtered here, so the jobs between them are read too. A document with an
        impossible job id is skipped and logged, but the counts include it.
        """
        with outages("Firestore"), Counting(self._jobs, query, self._pool) as counting:
            if query.ids is not None:
                page = self._chosen(query, query.ids)
            elif query.after is None and (query.page > 1 or _is_picked_out(query)):
                page = self._counted_page(query, counting)
            else:
                walk = self._start(query)
                page = self._finish(query, walk, walk.take(query.page_size), counting.total())
            return replace(page, counts=counting.by_status())

    def _chosen(self, query: ListQuery, job_ids: Sequence[str]) -> JobPage:
        found = self.get_many(query.user_id, job_ids)
        jobs = [job for job in found if query.takes(job.status)]
        return JobPage(jobs, len(jobs), 1, None)

    def _counted_page(self, query: ListQuery, counting: Counting) -> JobPage:
        # Count first, so that neither a page number beyond the last page nor a few jobs of unknown statuses cost a
        # walk through all of the user's jobs.
        total = counting.total()
        before = (query.page - 1) * query.page_size
        if before >= total:
            return JobPage([], total, query.page, None)
        walk = self._start(query)
        walk.skip(before)
        count = min(query.page_size, total - before) if _is_picked_out(query) else query.page_size
        return self._finish(query, walk, walk.take(count), total)

    def _finish(self, query: ListQuery, walk: Walk, jobs: list[Job], total: int) -> JobPage:
        number, before = query.page, (query.page - 1) * query.page_size
        if query.after is not None:
            number, before = query.after.page, query.after.shown
        shown = before + len(jobs)
        # If a job shown earlier was deleted meanwhile, the count may wrongly say that this is the last page. So
        # look for one more live job, unless that could read all of the user's jobs and no cursor was given.
        believed = _is_picked_out(query) and query.after is None
        more = not walk.exhausted and (shown < total or (not believed and walk.has_more()))
        if walk.unusable_ids:
            log.warning("job_ids_unusable", found=len(walk.unusable_ids), some=walk.unusable_ids[:_MOST_LOGGED])
        last = walk.last
        if not more or last is None:
            return JobPage(jobs, total, number, None)
        return JobPage(jobs, total, number, Position(last[0], last[1], number + 1, shown))

    def _start(self, query: ListQuery) -> Walk:
        ordered = in_order(self._jobs, query)
        position = query.after
        if position is None:
            return Walk(ordered, query)
        reference = self._jobs.document(position.job_id)
        if query.id_prefix is not None:
            after: Any = {"__name__": reference}
        elif position.created_at is not None:
            after = {"created_at": position.created_at, "__name__": reference}
        else:
            after = reference.get(**firestore_limits())
            if fields(after).get("user_id") != query.user_id:
                raise BadRequest("cursor is not one that this list gave for this user and filter.")
        return Walk(ordered, query, after)


def _is_picked_out(query: ListQuery) -> bool:
    """Whether Firestore cannot select exactly these jobs, so that the jobs between them are read too."""
    return OTHER in query.statuses
