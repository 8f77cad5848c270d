"""Reads live jobs from Firestore, starting the walk and the counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from google.cloud import firestore

from shared import log
from shared.errors import BadRequest, NotFound
from shared.jobs.counts import Counting
from shared.jobs.documents import SHOWN, is_live, job_from
from shared.jobs.job import OTHER, Job, is_job_id, newest_first
from shared.jobs.pagination import JobPage, ListQuery, Position
from shared.jobs.queries import all_of, in_order
from shared.jobs.reading import Cursor, Document, Jobs, Value, cursor, time_value
from shared.jobs.walk import Walk
from shared.outages import outages

_MOST_LOGGED = 5
Passed = Callable[[int], None]


class JobRepository:
    """Every method raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client) -> None:
        self._jobs = Jobs(client)

    def get(self, user_id: str, job_id: str) -> Job:
        """A live job of the user. Raises NotFound for anything else. Costs one read."""
        jobs = [job_from(job_id, document.fields()) for document in self._live(user_id, [job_id])]
        if not jobs:
            raise NotFound
        return jobs[0]

    def page(self, query: ListQuery, passed: Passed = lambda _: None) -> JobPage:
        """A page of the user's live jobs, the number of all that match, and counts by status if asked for.

        The newest or oldest come first; a search is ordered by what it searches. Reads the jobs of the page and
        the deleted jobs between them, and behind a cursor also those that follow the last job. A page requested by
        number instead of a cursor also reads the jobs before it, which costs as much as an offset:
        https://firebase.google.com/docs/firestore/pricing#operations Jobs of unknown statuses are filtered here,
        so the jobs between them are read too. A document with an impossible job id is skipped and logged, but the
        counts include it. `passed` is told how many documents were passed over, in parts, also if the page fails.
        """
        with outages("Firestore"), Counting(self._jobs, query) as counting:
            if query.ids is not None:
                page = self._chosen(query, query.ids)
            elif query.after is None and (query.page > 1 or _is_picked_out(query)):
                page = self._counted_page(query, counting, passed)
            else:
                walk = self._start(query, counting, passed)
                page = self._finish(query, walk, walk.take(query.page_size), counting)
            return replace(page, counts=counting.by_status())

    def count(self, query: ListQuery) -> int:
        """Number of live jobs that match. Costs a read for each 1,000 jobs, live or not, and at least two."""
        with outages("Firestore"), Counting(self._jobs, query) as counting:
            return counting.total()

    def batch(self, user_id: str, before: datetime, after: str | None, limit: int) -> tuple[list[str], str | None]:
        """The user's next `limit` jobs by id, deleted or not: the ids of those created before that time, and the
        last id looked at, or None if there are no more.

        A job is at least as old as its document. Costs a read for each job.
        """
        ordered = all_of(user_id)
        place = None if after is None else [Value(reference_value=self._jobs.name(after))]
        with outages("Firestore"):
            found = list(self._jobs.read(ordered, limit, place, ("created_at",)))
        ids = [one.id for one in found if _created_at(one) < before]
        return ids, found[-1].id if len(found) == limit else None

    def live_before(self, user_id: str, job_ids: Sequence[str], before: datetime) -> int:
        """How many of these jobs are the user's, live, and created before that time. Costs one read per id.

        An id need not be a possible one.
        """
        if not job_ids:
            return 0
        with outages("Firestore"):
            found = self._jobs.get(job_ids, ("user_id", "deleted_at", "created_at"))
            times = [one.get("created_at") for one in found if is_live(one, user_id)]
        return sum(isinstance(at, datetime) and at < before for at in times)

    def _live(self, user_id: str, job_ids: Sequence[str]) -> Iterator[Document]:
        """The user's live jobs among these ids, as they arrive. Costs one read per id."""
        possible = [job_id for job_id in job_ids if is_job_id(job_id)]
        if possible:
            with outages("Firestore"):
                yield from (one for one in self._jobs.get(possible, SHOWN) if is_live(one, user_id))

    def _chosen(self, query: ListQuery, job_ids: Sequence[str]) -> JobPage:
        """The jobs with these ids, all on the first page, each shortened for lists as it arrives, to save memory.
        Any order of their versions is the same list.
        """
        jobs, versions = [], []
        for document in self._live(query.user_id, job_ids):
            job = job_from(document.id, document.fields()).shortened()
            if query.takes(job.status):
                jobs.append(job)
                versions.append(f"{job.id} {document.version}")
        jobs.sort(key=newest_first, reverse=True)
        shown = jobs if query.page == 1 else []
        return JobPage(shown, len(jobs), query.page, None, versions=tuple(sorted(versions)))

    def _counted_page(self, query: ListQuery, counting: Counting, passed: Passed) -> JobPage:
        # Count first, so that neither a page number beyond the last page nor a few jobs of unknown statuses cost a
        # walk through all of the user's jobs.
        total = counting.total()
        before = (query.page - 1) * query.page_size
        if before >= total:
            return JobPage([], total, query.page, None)
        walk = self._start(query, counting, passed)
        walk.skip(before)
        count = min(query.page_size, total - before) if _is_picked_out(query) else query.page_size
        return self._finish(query, walk, walk.take(count), counting)

    def _finish(self, query: ListQuery, walk: Walk, jobs: list[Job], counting: Counting) -> JobPage:
        total, number, before = counting.total(), query.page, (query.page - 1) * query.page_size
        if query.after is not None:
            number, before = query.after.page, query.after.shown
        shown = before + len(jobs)
        more = not walk.exhausted and shown < total
        if not walk.exhausted and not more:
            # The total may be of another time than the jobs that were read. Behind a cursor's total, look for one
            # more live job. If one of these jobs has changed since the counts, count again, which costs less than
            # a look at what follows, because all of it may be deleted. Counts by status are believed: they are
            # twelve.
            if query.after is not None:
                more = walk.has_more()
            elif walk.changed_at > counting.as_of() and not _is_picked_out(query):
                with Counting(self._jobs, replace(query, with_counts=False)) as again:
                    total = max(total, again.total())
                more = shown < total
        if walk.unusable_ids:
            log.warning("job_ids_unusable", found=len(walk.unusable_ids), some=walk.unusable_ids[:_MOST_LOGGED])
        last = walk.last
        if not more or last is None:
            return JobPage(jobs, total, number, None)
        created_at = last.get("created_at")
        time = created_at if isinstance(created_at, datetime) else None
        name = next((last.get(field) for field in _ordered_by(query)), None)
        return JobPage(jobs, total, number, Position(last.id, time, number + 1, shown, total, name))

    def _start(self, query: ListQuery, counting: Counting, passed: Passed) -> Walk:
        ordered = in_order(query, self._jobs.name)
        begin = self._place(query, query.after, ordered) if query.after else None

        def read(limit: int, after: Document | None, fields: Sequence[str]) -> Iterator[Document]:
            place = begin if after is None else cursor(ordered, after)
            also = _ordered_by(query)
            return self._jobs.read(ordered, limit, place, tuple(dict.fromkeys((*fields, *also))))

        if query.after:  # the total that it carries may be of a time before jobs were added
            return Walk(read, query, passed=passed)
        return Walk(read, query, counting.total, passed)

    def _place(self, query: ListQuery, position: Position, ordered: Any) -> Cursor:
        name = Value(reference_value=self._jobs.name(position.job_id))
        if query.id_prefix is not None:
            return [name]
        text = [] if position.name is None else [Value(string_value=position.name)]
        if query.name_prefix is not None and text:
            return [*text, name]
        if position.created_at is not None and position.name != "":
            return [time_value(position.created_at), *text, name]
        ordering = ("created_at", *_ordered_by(query))
        for document in self._jobs.get([position.job_id], ("user_id", *ordering)):
            if document.get("user_id") == query.user_id and all(map(document.has, ordering)):
                return cursor(ordered, document)
        raise BadRequest("cursor is not one that this list gave for this user and filter.")


def _ordered_by(query: ListQuery) -> tuple[str, ...]:
    """Fields that the order of the query needs besides the time and the id."""
    if query.shared:
        return ("short_id",)
    return () if query.name_prefix is None else ("name_folded",)


def _created_at(document: Document) -> datetime:
    """The earlier of both: the clock of who wrote the document may be ahead."""
    created_at = document.get("created_at")
    return min(created_at, document.made_at) if isinstance(created_at, datetime) else document.made_at


def _is_picked_out(query: ListQuery) -> bool:
    """Whether Firestore cannot select exactly these jobs, so that the jobs between them are read too."""
    return OTHER in query.statuses
