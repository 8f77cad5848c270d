"""Removes everything under a job's prefix in one bucket, as far as the bucket allows."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.exceptions import GoogleAuthError
from requests.exceptions import RequestException

from shared import log
from shared.errors import Unavailable
from shared.jobs.job import JobPrefix
from shared.outages import PURGE_WITHIN, cause, is_away
from shared.storage.limits import removing

AT_ONCE = 8
"""Concurrent deletes of one removal. It has its own threads, so it waits for no other bucket or job."""
MOST_GIVEN_UP = 3
"""Consecutive deletes that fail after all retries. The bucket is then away, and further deletes would fail."""
TAKEN_BACK = "the deletion was taken back"
_BATCH = 100
_MOST_ROUNDS = 3
_MOST_REASONS = 5
_FAILURES = (GoogleAPIError, GoogleAuthError, RequestException)


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPurge:
    """One attempt in one bucket. If there is no `error`, a final listing of all generations was empty."""

    bucket: str
    objects: int
    """Generations of objects removed."""
    size: int
    """Their bytes."""
    error: str | None = None


class Removal:
    """One run in one bucket. Safe to repeat at any time, and to run concurrently with itself."""

    def __init__(self, client: Any, bucket: str, prefix: JobPrefix, may_go_on: Callable[[], bool]) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._may_go_on = may_go_on
        self._until = time.monotonic() + PURGE_WITHIN
        self._lock = Lock()
        self._objects = self._size = 0
        self._kept: Counter[str] = Counter()
        """How many objects could not be deleted, by reason."""
        self._examples: dict[str, str] = {}
        self._given_up = 0
        """Consecutive deletes."""

    def run(self) -> BucketPurge:
        """Delete every generation of every object. The result proves that nothing is left, or says why not."""
        try:
            error = self._left()
        except _FAILURES as failure:
            error = f"{cause(failure)}: what is there cannot be listed"
        except Unavailable as away:
            error = f"{away.detail} Whether the deletion still holds cannot be told."
        if error:
            log.warning("purge_bucket_failed", bucket=self._bucket, job_id=self._prefix.job_id, error=error)
        return BucketPurge(bucket=self._bucket, objects=self._objects, size=self._size, error=error)

    def _left(self) -> str | None:
        """Why something may be left; None if a final listing was empty."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="removal") as threads:
            for _ in range(_MOST_ROUNDS):
                # Listings are strongly consistent, so an empty one is proof.
                # https://cloud.google.com/storage/docs/consistency
                there = self._client.list_blobs(
                    self._bucket, prefix=str(self._prefix), versions=True, **removing()
                )
                is_empty = True
                for batch in _batches(there, _BATCH):
                    is_empty = False
                    if not self._may_go_on():
                        return TAKEN_BACK
                    list(threads.map(self._delete, batch))
                    if self._is_over():
                        break
                if is_empty:
                    return None
                if self._kept:
                    return self._reasons()
                if self._is_over():
                    return f"not finished within {PURGE_WITHIN:g} s"
        return f"not empty after {_MOST_ROUNDS} rounds: objects keep arriving"

    def _is_over(self) -> bool:
        return self._given_up >= MOST_GIVEN_UP or time.monotonic() > self._until

    def _delete(self, blob: Any) -> None:
        """Delete one generation. A failure does not stop other deletes unless the bucket is away."""
        if self._is_over():
            return
        failure: Exception | None = None
        removed = True
        try:
            blob.delete(**removing())
        except NotFound:
            removed = False  # another run was first
        except _FAILURES as error:
            failure, removed = error, False
        with self._lock:
            self._given_up = self._given_up + 1 if failure and is_away(failure) else 0
            if removed:
                self._objects += 1
                self._size += blob.size or 0
            if failure:
                reason = cause(failure)
                self._kept[reason] += 1
                self._examples[reason] = min(self._examples.get(reason, blob.name), blob.name)

    def _reasons(self) -> str:
        return "; ".join(
            f"{reason}: {count} object(s), such as {self._examples[reason]}"
            for reason, count in sorted(self._kept.items(), key=lambda one: (-one[1], one[0]))[:_MOST_REASONS]
        )


def _batches(blobs: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(blobs)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
