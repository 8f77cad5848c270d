"""Removes everything under a job's prefix in one bucket, as far as the bucket allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import NotFound

from shared import log
from shared.errors import Unavailable
from shared.jobs.job import JobPrefix
from shared.outages import PURGE_WITHIN, cause
from shared.storage.attempts import FAILURES, Attempts, batches
from shared.storage.limits import removing

TAKEN_BACK = "the deletion was taken back"
_MOST_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPurge:
    """One attempt in one bucket. If there is no `error`, a final listing of all generations was empty."""

    bucket: str
    objects: int
    """Generations of objects removed."""
    size: int
    """Their bytes."""
    is_counted: bool = True
    """Whether it is certain that the run removed no more than that: the answer to a call may have been lost."""
    error: str | None = None


class Removal:
    """One run in one bucket. Safe to repeat at any time, and to run concurrently with itself."""

    def __init__(self, client: Any, bucket: str, prefix: JobPrefix, may_go_on: Callable[[], bool]) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._may_go_on = may_go_on
        self._attempts = Attempts(_delete, PURGE_WITHIN)

    def run(self) -> BucketPurge:
        """Delete every generation of every object. The result proves that nothing is left, or says why not."""
        try:
            error = self._left()
        except FAILURES as failure:
            error = f"{cause(failure)}: what is there cannot be listed"
        except Unavailable as away:
            error = f"{away} Whether the deletion still holds cannot be told."
        if error:
            log.warning("purge_bucket_failed", bucket=self._bucket, job_id=self._prefix.job_id, error=error)
        found = self._attempts
        return BucketPurge(
            bucket=self._bucket,
            objects=found.objects,
            size=found.size,
            is_counted=not found.unsure,
            error=error,
        )

    def _left(self) -> str | None:
        """Why something may be left; None if a final listing was empty."""
        with self._attempts.side_by_side() as delete_all:
            for _ in range(_MOST_ROUNDS):
                # Listings are strongly consistent, so an empty one is proof.
                # https://cloud.google.com/storage/docs/consistency
                there = self._client.list_blobs(
                    self._bucket, prefix=str(self._prefix), versions=True, **removing()
                )
                is_empty = True
                for batch in batches(there):
                    is_empty = False
                    if not self._may_go_on():
                        return TAKEN_BACK
                    delete_all(batch)
                    if self._attempts.is_over:
                        break
                if is_empty:
                    return None
                if problem := self._attempts.problem:
                    return problem
        return f"not empty after {_MOST_ROUNDS} rounds: objects keep arriving"


def _delete(blob: Any) -> bool:
    """Delete one generation. Returns whether it was there: another run may have been first."""
    try:
        blob.delete(**removing())
    except NotFound:
        return False
    return True
