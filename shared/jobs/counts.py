"""Counts live jobs. Documents do not mark a job as live, so live = all - deleted."""

from __future__ import annotations

from dataclasses import replace

from shared.jobs.job import OTHER, JobStatus
from shared.jobs.pagination import ListQuery
from shared.jobs.queries import deleted, in_order
from shared.jobs.reading import Jobs

_ALL = "all"


class Counting:
    """Begins the counts that an answer needs, so that they are under way while the caller reads jobs.

    On exit, gives up the counts that nobody waited for.
    """

    def __init__(self, jobs: Jobs, query: ListQuery) -> None:
        self._query = query
        self._counts = {
            counted: (jobs.count(in_order(counted, jobs.name)), jobs.count(deleted(counted, jobs.name)))
            for counted in _needed(query)
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
        scope = _scope(self._query)
        wanted = replace(scope, statuses=self._query.statuses)
        if wanted in self._counts:
            return self._live(wanted)
        counts = self._by_status(scope)
        return sum(counts[name] for name in self._query.statuses or (_ALL,))

    def as_of(self) -> int:
        """The time that the counts read so far are true of, in nanoseconds since 1970. 0 if there are none."""
        return min((count.as_of for pair in self._counts.values() for count in pair if count.as_of), default=0)

    def by_status(self) -> dict[str, int] | None:
        """The user's live jobs: all, per known status, and others. None unless the query asks for counts."""
        return self._by_status(ListQuery(user_id=self._query.user_id)) if self._query.with_counts else None

    def _by_status(self, scope: ListQuery) -> dict[str, int]:
        everyone, *known = (self._live(counted) for counted in _split(scope))
        # The counts run in parallel: a job whose status changes meanwhile may be counted twice or not at all.
        named = dict(zip(map(str, JobStatus), known, strict=True))
        return {_ALL: everyone, **named, OTHER: max(0, everyone - sum(known))}

    def _live(self, counted: ListQuery) -> int:
        everyone, gone = (count.result() for count in self._counts[counted])
        return max(0, everyone - gone)


def _scope(query: ListQuery) -> ListQuery:
    """The jobs that the query is about, whatever their status: all, or those of its filter or search."""
    return ListQuery(
        user_id=query.user_id,
        types=query.types,
        created_after=query.created_after,
        created_before=query.created_before,
        id_prefix=query.id_prefix,
        name_prefix=query.name_prefix,
        shared=query.shared,
    )


def _split(scope: ListQuery) -> list[ListQuery]:
    """All jobs of the scope, and those of each known status. other = all - the known statuses."""
    return [scope, *(replace(scope, statuses=(status,)) for status in JobStatus)]


def _needed(query: ListQuery) -> list[ListQuery]:
    """The counts to run, each once. If counts by status are needed anyway, a list's total is derived from them.

    A cursor carries the total of the list that it continues.
    """
    mine, scope = ListQuery(user_id=query.user_id), _scope(query)
    needed = _split(mine) if query.with_counts else []
    is_continued = query.after is not None and query.after.total is not None
    if query.ids is None and not is_continued and scope not in needed:
        needed += _split(scope) if OTHER in query.statuses else [replace(scope, statuses=query.statuses)]
    return needed
