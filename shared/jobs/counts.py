"""How many live jobs there are. Nothing marks them, so each number is a count of all less one of the deleted."""

from __future__ import annotations

from concurrent.futures import Executor, wait
from dataclasses import replace

from google.cloud.firestore import CollectionReference, Query

from shared.jobs.job import OTHER, JobStatus
from shared.jobs.pagination import ListQuery
from shared.jobs.queries import deleted, in_order
from shared.outages import FIRESTORE_TIMEOUT, firestore_limits

_ALL = "all"
_FOUND = "found"


class Counting:
    """The counts that an answer needs, begun side by side: time to read jobs until the numbers are asked for.

    On leaving it, those that have not begun are given up, so that an outage leaves no queue behind.
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
        """Live jobs that the query is about. Raises TimeoutError, as `by_status` does, if they take too long."""
        if _FOUND in self._counts:
            return self._live(_FOUND)
        counts = self._by_status()
        return sum(counts[name] for name in self._query.statuses or (_ALL,))

    def by_status(self) -> dict[str, int] | None:
        """The user's live jobs: all, those of each known status, and others; None unless the query asks for it."""
        return self._by_status() if self._query.with_counts else None

    def _by_status(self) -> dict[str, int]:
        everyone, known = self._live(_ALL), {status.value: self._live(status.value) for status in JobStatus}
        # Counted side by side: a job whose status changes meanwhile may be counted twice, or not at all.
        return {_ALL: everyone, **known, OTHER: max(0, everyone - sum(known.values()))}

    def _live(self, name: str) -> int:
        wait(self._under_way, FIRESTORE_TIMEOUT)
        everyone, gone = (count.result(0) for count in self._counts[name])
        return max(0, everyone - gone)


def _needed(query: ListQuery) -> dict[str, ListQuery]:
    """What to count: a list's total follows from the counts by status, where these are had anyway.

    How many are of other statuses is what the known ones leave of all.
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
