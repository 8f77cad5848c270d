"""The objects in the three buckets, whatever they hold: listed, read, put in place, and deleted."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core.exceptions import (
    GoogleAPIError,
    NotFound,
    PreconditionFailed,
    RequestRangeNotSatisfiable,
)
from google.auth.exceptions import GoogleAuthError
from requests.exceptions import RequestException

from shared import log
from shared.deletion.purge import BucketPurge
from shared.jobs.job import JobPrefix
from shared.outages import STORAGE_REMOVING, outages

_DELETED_AT_ONCE = 100
_MOST_ROUNDS = 3
_KEPT_BY_BROWSERS = "private, max-age=3600"
"""As long as the signed URL of a picture can live."""
_LISTED = "items(name,generation,size,timeCreated),nextPageToken"
_FAILURES = (GoogleAPIError, GoogleAuthError, RequestException)


@dataclass(frozen=True, slots=True)
class Description:
    """The live generation of an object, and what whoever put it there has noted about it."""

    generation: int
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One generation of an object."""

    name: str
    size: int
    """Bytes."""
    created_at: datetime


class ObjectStore:
    """For functions that nobody waits for. Raises Unavailable when Storage is away, but for the purge."""

    def __init__(self, client: Any, buckets: Sequence[str], pool: Executor) -> None:
        self._client = client
        self._buckets = buckets
        self._pool = pool

    def purge(self, prefix: JobPrefix) -> list[BucketPurge]:
        """Delete every generation of every object under `prefix`, in the three buckets side by side.

        Each bucket's result either proves that nothing is left or says what went wrong. Safe to run again at
        any time, and beside another run of itself.
        """
        # Threads of its own: what waits for the shared pool must not also fill it.
        with ThreadPoolExecutor(len(self._buckets)) as threads:
            return list(threads.map(self._purge_bucket, self._buckets, itertools.repeat(prefix)))

    def objects(self, bucket: str, start: str | None = None) -> Iterator[StoredObject]:
        """Every generation of every object whose name is not before `start`, by name, read page by page."""
        with outages("Cloud Storage"):
            for blob in self._client.list_blobs(
                bucket, versions=True, start_offset=start, fields=_LISTED, **STORAGE_REMOVING
            ):
                yield StoredObject(blob.name, blob.size or 0, blob.time_created)

    def has(self, bucket: str, name: str, generation: int) -> bool:
        """Whether this generation of an object is there, live or not."""
        with outages("Cloud Storage"):
            found = self._client.bucket(bucket).get_blob(name, generation=generation, **STORAGE_REMOVING)
        return found is not None

    def describe(self, bucket: str, name: str) -> Description | None:
        """None where there is no such object."""
        with outages("Cloud Storage"):
            blob = self._client.bucket(bucket).get_blob(name, **STORAGE_REMOVING)
        return Description(int(blob.generation), dict(blob.metadata or {})) if blob else None

    def read(self, bucket: str, name: str, generation: int, start: int, end: int) -> bytes | None:
        """The bytes from `start` to before `end` of this generation of an object; None if it is not there any
        more, or not that long.

        As they are stored: what says of itself that it is compressed could else become any number of bytes.
        """
        with outages("Cloud Storage"):
            try:
                blob = self._client.bucket(bucket).blob(name, generation=generation)
                content = blob.download_as_bytes(start=start, end=end - 1, raw_download=True, **STORAGE_REMOVING)
            except (NotFound, RequestRangeNotSatisfiable):
                return None
        return bytes(content) if len(content) == end - start else None

    def put(
        self,
        bucket: str,
        name: str,
        content: bytes,
        content_type: str,
        *,
        metadata: Mapping[str, str],
        replaces: int,
    ) -> bool:
        """Put an object in the place of the generation `replaces`, which is 0 where there is none yet.

        Tell whether it is there: others may have been first.
        """
        blob = self._client.bucket(bucket).blob(name)
        blob.cache_control = _KEPT_BY_BROWSERS
        blob.metadata = dict(metadata)
        with outages("Cloud Storage"):
            try:
                blob.upload_from_string(
                    content, content_type=content_type, if_generation_match=replaces, **STORAGE_REMOVING
                )
            except PreconditionFailed:
                return False
        return True

    def remove(self, bucket: str, name: str, generation: int) -> None:
        """Delete just this generation of an object, if it is there."""
        with outages("Cloud Storage"), suppress(NotFound):
            self._client.bucket(bucket).blob(name, generation=generation).delete(**STORAGE_REMOVING)

    def _purge_bucket(self, bucket: str, prefix: JobPrefix) -> BucketPurge:
        objects = size = 0
        error: str | None = f"not empty after {_MOST_ROUNDS} rounds: objects keep arriving"
        try:
            for _ in range(_MOST_ROUNDS):
                # Listings are strongly consistent: an empty one is proof.
                # https://cloud.google.com/storage/docs/consistency
                left = self._client.list_blobs(bucket, prefix=str(prefix), versions=True, **STORAGE_REMOVING)
                empty, failures = True, []
                for batch in _batches(left, _DELETED_AT_ONCE):
                    empty = False
                    outcomes = list(self._pool.map(_delete, batch))
                    removed = [blob for blob, outcome in zip(batch, outcomes, strict=True) if outcome is True]
                    objects += len(removed)
                    size += sum(blob.size or 0 for blob in removed)
                    failures += [outcome for outcome in outcomes if isinstance(outcome, Exception)]
                    # One that cannot go must not keep the rest; where none can, the bucket is away.
                    if len(failures) >= len(batch):
                        break
                if failures:
                    raise failures[0]
                if empty:
                    error = None
                    break
        except _FAILURES as failure:
            log.warning("purge_bucket_failed", bucket=bucket, job_id=prefix.job_id, error=repr(failure))
            error = type(failure).__name__
        return BucketPurge(bucket=bucket, objects=objects, size=size, error=error)


def _delete(blob: Any) -> bool | Exception:
    """Whether this generation was there to be deleted. Given back instead of raised: the batch goes on."""
    try:
        blob.delete(**STORAGE_REMOVING)
    except NotFound:
        return False
    except _FAILURES as failure:
        return failure
    return True


def _batches(blobs: Iterable[Any], size: int) -> Iterable[list[Any]]:
    iterator = iter(blobs)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
