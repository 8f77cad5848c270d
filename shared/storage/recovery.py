"""Brings back what is soft-deleted under a job's prefix in one bucket, as far as the bucket allows.

https://cloud.google.com/storage/docs/use-soft-deleted-objects
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from google.api_core.exceptions import PreconditionFailed

from shared import log
from shared.jobs.job import JobPrefix
from shared.outages import RESTORE_WITHIN, cause
from shared.storage.attempts import FAILURES, Attempts, batches
from shared.storage.limits import removing

CLOCKS_DIFFER = timedelta(seconds=10)
"""How far a function's clock may be ahead of Cloud Storage's. An object that was deleted on its own account within
this time before its job comes back too, which is better than losing one of the job's."""
_NAMES = "items(name),nextPageToken"
_LISTED = "items(name,generation,size,softDeleteTime),nextPageToken"


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketRestore:
    """One attempt in one bucket. If there is no `error`, every object that was to come back is there."""

    bucket: str
    objects: int
    """Objects restored."""
    size: int
    """Their bytes."""
    error: str | None = None
    missing: int = 0
    """Generations that were removed and that the bucket no longer has. There is an `error` then."""


class Recovery:
    """One run in one bucket. Safe to repeat at any time, and to run concurrently with itself."""

    def __init__(
        self,
        client: Any,
        bucket: str,
        prefix: JobPrefix,
        since: datetime,
        is_wanted: Callable[[], bool],
        *,
        removed: int,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._since = since - CLOCKS_DIFFER
        self._is_wanted = is_wanted
        self._removed = removed
        self._found = 0
        """Generations of those that the bucket still has, whether they come back or not."""
        self._missing = 0
        self._attempts = Attempts(self._restore, RESTORE_WITHIN)

    def run(self) -> BucketRestore:
        """Restore the newest generation of each object that was removed at `since` or later.

        Asks before each batch whether that is still wanted. It is an error if the bucket has fewer generations
        than were removed: it then kept nothing, or kept it for too short a time.
        """
        try:
            error = self._problem()
        except FAILURES as failure:
            error = f"{cause(failure)}: what is soft-deleted cannot be listed"
        if error:
            log.warning("restore_bucket_failed", bucket=self._bucket, job_id=self._prefix.job_id, error=error)
        found = self._attempts
        return BucketRestore(
            bucket=self._bucket, objects=found.objects, size=found.size, error=error, missing=self._missing
        )

    def _problem(self) -> str | None:
        with self._attempts.side_by_side() as restore_all:
            for batch in batches(self._newest()):
                if not self._is_wanted():
                    return "no longer wanted"
                restore_all(batch)
                if self._attempts.is_over:
                    break
        return self._attempts.problem or self._lack()

    def _lack(self) -> str | None:
        if self._found >= self._removed:
            return None
        # An earlier run's copies outlive what they were made from.
        self._missing = max(0, self._removed - max(self._found, len(self._live())))
        return f"{self._missing} of {self._removed} object(s) can no longer be found" if self._missing else None

    def _newest(self) -> Iterator[Any]:
        """Of each name, the newest generation that was removed in time.

        A restored object stays soft-deleted too. If the copy was then removed in its turn, the copy is the newer
        one, with the same content. What is live is left out: each call for what an earlier run has brought back
        would take the time of one that is still to come.
        """
        live = self._live()
        there = self._client.list_blobs(
            self._bucket, prefix=str(self._prefix), soft_deleted=True, fields=_LISTED, **removing()
        )
        for _, generations in groupby(there, attrgetter("name")):
            removed = [one for one in generations if one.soft_delete_time >= self._since]
            self._found += len(removed)
            if removed and removed[0].name not in live:
                yield max(removed, key=attrgetter("generation"))

    def _live(self) -> set[str]:
        there = self._client.list_blobs(self._bucket, prefix=str(self._prefix), fields=_NAMES, **removing())
        return {blob.name for blob in there}

    def _restore(self, blob: Any) -> bool:
        """Restore a generation, unless there is a live one: an earlier run's copy, or a newer upload."""
        bucket = self._client.bucket(self._bucket)
        try:
            bucket.restore_blob(blob.name, generation=blob.generation, if_generation_match=0, **removing())
        except PreconditionFailed:
            return False
        return True
