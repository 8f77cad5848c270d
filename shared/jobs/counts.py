"""Counts live jobs. Documents do not mark a job as live, so live = all - deleted."""

from __future__ import annotations

from concurrent.futures import Executor, wait
from dataclasses import replace

from google.cloud.firestore import CollectionReference, Query

from shared.jobs.job import OTHER, JobStatus
from shared.jobs.pagination import ListQuery
from shared.jobs.queries import deleted, in_order
from shared.outages import FIRESTORE_TIMEOUT, firestore_limits, patient

_ALL = "all"
_FOUND = "found"


class Counting:
    """Runs the counts that an answer needs in parallel, while the caller reads jobs.

    On exit, cancels counts that have not started, so that an outage leaves no queue behind.
    """

    def __init__(self, jobs: CollectionReference, query: ListQuery, pool: Executor) -> None:
        self._query = query
        self._counts = {
            name: (pool.submit(_count, in_order(jobs, counted)), pool.submit(_count, deleted(jobs, counted)))
            for name, counted in _needed(query).items()
        }
        self._under_way = [count for pair in self._counts.values() for count in pair]

    def __enter__(self) -> Counting:
        return self

    def __exit__(self, *_: object) -> None:
        for count in self._under_way:
            count.cancel()

    def total(self) -> int:
        """Number of live jobs that match. Like `by_status`, raises TimeoutError if the counts take too long."""
        if _FOUND in self._counts:
            return self._live(_FOUND)
        counts = self._by_status()
        return sum(counts[name] for name in self._query.statuses or (_ALL,))

    def by_status(self) -> dict[str, int] | None:
        """The user's live jobs: all, per known status, and others. None unless the query asks for counts."""
        return self._by_status() if self._query.with_counts else None

    def _by_status(self) -> dict[str, int]:
        everyone, known = self._live(_ALL), {status.value: self._live(status.value) for status in JobStatus}
        # The counts run in parallel: a job whose status changes meanwhile may be counted twice or not at all.
        return {_ALL: everyone, **known, OTHER: max(0, everyone - sum(known.values()))}

    def _live(self, name: str) -> int:
        wait(self._under_way, patient(FIRESTORE_TIMEOUT))
        everyone, gone = (count.result(0) for count in self._counts[name])
        return max(0, everyone - gone)


def _needed(query: ListQuery) -> dict[str, ListQuery]:
    """The counts to run. If counts by status are needed anyway, a list's total is derived from them.

    other = all - the known statuses.
    """
    needed: dict[str, ListQuery] = {}
    by_rest = OTHER in query.statuses and query.ids is None
    if query.with_counts or by_rest:
        mine = ListQuery(user_id=query.user_id)
        needed[_ALL] = mine
        needed |= {status.value: replace(mine, statuses=(status,)) for status in JobStatus}
    if query.id_prefix is not None or (query.ids is None and not needed):
        needed[_FOUND] = query
    return needed


def _count(query: Query) -> int:
    result = query.count(alias="jobs").get(**firestore_limits())
    return int(result[0][0].value)  # type: ignore[index]  # one row of one aggregation
