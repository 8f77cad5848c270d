"""Counts live jobs. Documents do not mark a job as live, so live = all - deleted."""

from __future__ import annotations

from dataclasses import replace

from shared.jobs.job import OTHER, JobStatus
from shared.jobs.pagination import ListQuery
from shared.jobs.queries import deleted, in_order
from shared.jobs.reading import Jobs

_ALL = "all"
_FOUND = "found"


class Counting:
    """Begins the counts that an answer needs, so that they are under way while the caller reads jobs.

    On exit, gives up the counts that nobody waited for.
    """

    def __init__(self, jobs: Jobs, query: ListQuery) -> None:
        self._query = query
        self._counts = {
            name: (jobs.count(in_order(counted, jobs.name)), jobs.count(deleted(counted, jobs.name)))
            for name, counted in _needed(query).items()
        }

    def __enter__(self) -> Counting:
        return self

    def __exit__(self, *_: object) -> None:
        for pair in self._counts.values():
            for count in pair:
                count.cancel()

    def total(self) -> int:
        """Number of live jobs that match. Like `by_status`, raises the library's error if a count fails."""
        if self._query.after is not None and self._query.after.total is not None:
            return self._query.after.total
        if _FOUND in self._counts:
            return self._live(_FOUND)
        counts = self._by_status()
        return sum(counts[name] for name in self._query.statuses or (_ALL,))

    def as_of(self) -> int:
        """The time that `total` is true of, in nanoseconds since 1970, if it was just counted."""
        return min((count.as_of for pair in self._counts.values() for count in pair), default=0)

    def by_status(self) -> dict[str, int] | None:
        """The user's live jobs: all, per known status, and others. None unless the query asks for counts."""
        return self._by_status() if self._query.with_counts else None

    def _by_status(self) -> dict[str, int]:
        everyone, known = self._live(_ALL), {status.value: self._live(status.value) for status in JobStatus}
        # The counts run in parallel: a job whose status changes meanwhile may be counted twice or not at all.
        return {_ALL: everyone, **known, OTHER: max(0, everyone - sum(known.values()))}

    def _live(self, name: str) -> int:
        everyone, gone = (count.result() for count in self._counts[name])
        return max(0, everyone - gone)


def _needed(query: ListQuery) -> dict[str, ListQuery]:
    """The counts to run. If counts by status are needed anyway, a list's total is derived from them.

    other = all - the known statuses. A cursor carries the total of the list that it continues.
    """
    needed: dict[str, ListQuery] = {}
    is_continued = query.after is not None and query.after.total is not None
    by_rest = OTHER in query.statuses and query.ids is None and not is_continued
    if query.with_counts or by_rest:
        mine = ListQuery(user_id=query.user_id)
        needed[_ALL] = mine
        needed |= {status.value: replace(mine, statuses=(status,)) for status in JobStatus}
    if not is_continued and (query.id_prefix is not None or (query.ids is None and not needed)):
        needed[_FOUND] = query
    return needed
