"""Goes through a user's jobs in order and skips those that must not be shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from shared.jobs.documents import SHOWN, is_deleted, job_from
from shared.jobs.job import Job, is_job_id
from shared.jobs.pagination import ListQuery
from shared.jobs.reading import Document

_LARGEST_BATCH = 300
_LARGEST_LOOK = 3_000
"""Documents in a batch of which only the fields in _LOOKED_AT are read."""
_LOOKED_AT = ("created_at", "deleted_at", "status")
"""Fields that decide whether a job is shown, and its place in the order."""
Read = Callable[[int, Document | None, Sequence[str]], Iterator[Document]]
"""Reads so many documents after one, or from the beginning, with just these fields."""


class Walk:
    """Keeps a position in the order in which `read` finds documents, and picks those that match `query`.

    Each request asks for as many documents as are missing or as were skipped so far, whichever is more. Behind 300
    skipped in a row it only looks for the next wanted one, which is then read whole. So a walk reads at most twice
    what it must, and its requests grow with the logarithm of the number skipped, then by one for every 3,000. If
    the number of wanted jobs is known, the walk does not go on for more than there are.
    """

    def __init__(
        self,
        read: Read,
        query: ListQuery,
        wanted_in_all: Callable[[], float] = lambda: math.inf,
        passed: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`wanted_in_all` is called once something was skipped and more is missing.

        `passed` is told how many of each batch were skipped, also of one that breaks off.
        """
        self._read_documents = read
        self._query = query
        self._wanted_in_all = wanted_in_all
        self._passed = passed
        self._found = 0
        self.exhausted = False
        self.last: Document | None = None
        """The last job walked over."""
        self.changed_at = 0
        """Time of the last change to any job walked over, in nanoseconds since 1970."""
        self.unusable_ids: list[str] = []
        """Impossible job ids. Nobody could request these jobs, so they are skipped."""

    def take(self, count: int) -> list[Job]:
        """The next jobs, each shortened for lists as it arrives, to save memory."""
        return [job_from(document.id, document.fields()).shortened() for document in self._go(count, SHOWN)]

    def skip(self, count: int) -> None:
        for _ in self._go(count, _LOOKED_AT):
            pass

    def has_more(self) -> bool:
        """Whether another job follows. Does not move the walk."""
        return any(wanted for _, wanted in self._read(1, _LOOKED_AT))

    def _go(self, count: int, fields: Sequence[str]) -> Iterator[Document]:
        for document, wanted in self._read(count, fields):
            self.last = document
            self.changed_at = max(self.changed_at, document.version)
            if wanted:
                yield document

    def _read(self, missing: int, fields: Sequence[str]) -> Iterator[tuple[Document, bool]]:
        """Documents from here on until `missing` wanted ones were found, each with whether it is wanted."""
        after, passed_over, in_a_row = self.last, 0, 0
        while missing:
            if passed_over and self._found >= self._wanted_in_all():
                return  # what follows is not wanted: a user may have deleted any number of jobs
            looks = in_a_row >= _LARGEST_BATCH
            limit = min(in_a_row, _LARGEST_LOOK) if looks else min(max(missing, passed_over), _LARGEST_BATCH)
            read, skipped = 0, 0
            try:
                for document in self._read_documents(limit, after, _LOOKED_AT if looks else fields):
                    if not missing:
                        return  # this document was read ahead
                    wanted = self._is_wanted(document)
                    if wanted and looks:
                        passed_over = in_a_row = 0
                        break
                    read += 1
                    missing -= wanted
                    self._found += wanted
                    passed_over += not wanted
                    skipped += not wanted
                    in_a_row = 0 if wanted else in_a_row + 1
                    after = document
                    yield document, wanted
                else:
                    self.exhausted = read < limit
            finally:
                self._passed(skipped)
            if self.exhausted:
                return

    def _is_wanted(self, document: Document) -> bool:
        if is_deleted(document) or not self._query.takes(document.get("status")):
            return False
        if not is_job_id(document.id):
            self.unusable_ids.append(document.id)
            return False
        return True
