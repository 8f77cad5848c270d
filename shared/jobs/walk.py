"""Goes through a user's jobs in order and skips those that must not be shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from google.cloud import firestore

from shared.jobs.documents import fields, is_deleted, job_from
from shared.jobs.job import Job, is_job_id
from shared.jobs.pagination import ListQuery
from shared.outages import firestore_limits

_LARGEST_BATCH = 300
_LOOKED_AT = ("created_at", "deleted_at", "status")
"""Fields that decide whether a job is shown, and its place in the order."""


class Walk:
    """Keeps a position in the order of `documents` and finds those that match `query`.

    Each request asks for as many documents as are missing or as were skipped so far, whichever is more. So a walk
    reads at most twice what it must, and its requests grow with the logarithm of the number skipped, then by one
    for every 300.
    """

    def __init__(self, documents: firestore.Query, query: ListQuery, after: Any = None) -> None:
        self._documents = documents
        self._query = query
        self._after = after
        self.exhausted = False
        self.last: tuple[str, datetime | None] | None = None
        """Id and time of the last job walked over."""
        self.unusable_ids: list[str] = []
        """Impossible job ids. Nobody could request these jobs, so they are skipped."""

    def take(self, count: int) -> list[Job]:
        """The next jobs, each shortened for lists as it arrives, to save memory."""
        found = self._go(count, self._documents)
        return [job_from(snapshot.id, document).shortened() for snapshot, document in found]

    def skip(self, count: int) -> None:
        for _ in self._go(count, self._documents.select(_LOOKED_AT)):
            pass

    def has_more(self) -> bool:
        """Whether another job follows. Does not move the walk."""
        return any(wanted for _, _, wanted in self._read(1, self._documents.select(_LOOKED_AT)))

    def _go(self, count: int, documents: firestore.Query) -> Iterator[tuple[Any, dict[str, Any]]]:
        for snapshot, document, wanted in self._read(count, documents):
            created_at = document.get("created_at")
            self.last = (snapshot.id, created_at if isinstance(created_at, datetime) else None)
            self._after = snapshot
            if wanted:
                yield snapshot, document

    def _read(self, missing: int, documents: firestore.Query) -> Iterator[tuple[Any, dict[str, Any], bool]]:
        """Documents from here on until `missing` wanted ones were found, each with whether it is wanted."""
        after, passed_over = self._after, 0
        while missing:
            limit, read = min(max(missing, passed_over), _LARGEST_BATCH), 0
            rest = documents.start_after(after) if after is not None else documents
            for after in rest.limit(limit).stream(**firestore_limits()):
                if not missing:
                    return  # this document was read ahead
                read += 1
                document = fields(after)
                wanted = self._is_wanted(after.id, document)
                missing -= wanted
                passed_over += not wanted
                yield after, document, wanted
            self.exhausted = read < limit
            if self.exhausted:
                return

    def _is_wanted(self, job_id: str, document: dict[str, Any]) -> bool:
        if is_deleted(document) or not self._query.takes(document.get("status")):
            return False
        if not is_job_id(job_id):
            self.unusable_ids.append(job_id)
            return False
        return True
