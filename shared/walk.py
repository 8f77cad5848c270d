"""Goes through a user's jobs in order, passing over the deleted ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from google.cloud import firestore

from shared.documents import fields, is_deleted, job_from
from shared.job import Job
from shared.outages import firestore_limits

_LARGEST_BATCH = 300
_MANY_DELETED = 100
_READ_AHEAD = 50


class Walk:
    """Stands at a place in the order of a query's jobs.

    Reads no more documents than asked for, but where a hundred deleted ones have been passed over: then it reads
    fifty at a time, so that the requests stay few.
    """

    def __init__(self, query: firestore.Query, after: Any = None) -> None:
        self._query = query
        self._after = after
        self.exhausted = False
        self.last: tuple[str, datetime | None] | None = None
        """Id and time of the last job walked over, deleted or not."""

    def take(self, count: int) -> list[Job]:
        jobs: list[Job] = []
        for snapshot, document in self._documents(count, self._query):
            self._pass(snapshot, document)
            if not is_deleted(document):
                jobs.append(job_from(snapshot.id, document))
            if len(jobs) == count:
                break
        return jobs

    def skip(self, count: int) -> None:
        found = 0
        for snapshot, document in self._documents(count, self._query.select(["created_at", "deleted_at"])):
            self._pass(snapshot, document)
            found += not is_deleted(document)
            if found == count:
                break

    def has_more(self) -> bool:
        """Whether a live job follows. Stays where it is."""
        return any(not is_deleted(document) for _, document in self._documents(1, self._query))

    def _pass(self, snapshot: Any, document: dict[str, Any]) -> None:
        created_at = document.get("created_at")
        self.last = (snapshot.id, created_at if isinstance(created_at, datetime) else None)
        self._after = snapshot

    def _documents(self, missing: int, query: firestore.Query) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Documents from where the walk stands, in batches no larger than the live jobs still missing."""
        after, passed_over = self._after, 0
        while missing > 0:
            limit = min(missing, _LARGEST_BATCH)
            if passed_over >= _MANY_DELETED:
                limit = max(limit, _READ_AHEAD)
            rest = query.start_after(after) if after is not None else query
            batch = rest.limit(limit).get(**firestore_limits())
            for snapshot in batch:
                document = fields(snapshot)
                deleted = is_deleted(document)
                passed_over += deleted
                missing -= not deleted
                yield snapshot, document
            if len(batch) < limit:
                self.exhausted = True
                return
            after = batch[-1]
