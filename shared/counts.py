"""How many live jobs there are. Nothing marks them, so each number is a count of all less one of the deleted."""

from __future__ import annotations

from concurrent.futures import Executor, wait
from dataclasses import replace

from google.cloud.firestore import CollectionReference, Query

from shared.job import JobStatus
from shared.outages import FIRESTORE_TIMEOUT, firestore_limits
from shared.pagination import ListQuery
from shared.queries import deleted, in_order

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
        return sum(self._live(name) for name in self._query.statuses or (_ALL,))

    def by_status(self) -> dict[str, int] | None:
        """All of the user's live jobs, and those of each status, if the query asks for them.

        Jobs of a status that is not known here are among all alone.
        """
        if not self._query.with_counts:
            return None
        return {name: self._live(name) for name in (_ALL, *map(str, JobStatus))}

    def _live(self, name: str) -> int:
        wait(self._under_way, FIRESTORE_TIMEOUT)
        everyone, gone = (count.result(0) for count in self._counts[name])
        return max(0, everyone - gone)


def _needed(query: ListQuery) -> dict[str, ListQuery]:
    """What to count: a list's total follows from the counts by status, where these are asked for."""
    needed: dict[str, ListQuery] = {}
    if query.with_counts:
        mine = ListQuery(user_id=query.user_id)
        needed[_ALL] = mine
        needed |= {status.value: replace(mine, statuses=(status,)) for status in JobStatus}
    if query.id_prefix is not None or (query.ids is None and not query.with_counts):
        needed[_FOUND] = query
    return needed


def _count(query: Query) -> int:
    result = query.count(alias="jobs").get(**firestore_limits())
    return int(result[0][0].value)  # type: ignore[index]  # one row of one aggregation
