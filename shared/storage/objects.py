"""Objects of any kind in the three buckets: lists, reads, writes and deletes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core.exceptions import NotFound, PreconditionFailed, RequestRangeNotSatisfiable

from shared.jobs.job import JobPrefix
from shared.outages import outages
from shared.storage.limits import removing
from shared.storage.recovery import BucketRestore, Recovery
from shared.storage.removal import BucketPurge, Removal

_CACHING = "private, no-cache"
"""Browsers keep a picture, but ask whether it is current: the URL stays the same when its medium is replaced."""
_LISTED = "items(name,generation,size,timeCreated),nextPageToken"


@dataclass(frozen=True, slots=True)
class Description:
    """One generation of an object, and the metadata that its writer set."""

    generation: int
    size: int
    """Bytes."""
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One generation of an object."""

    name: str
    size: int
    """Bytes."""
    created_at: datetime


class ObjectStore:
    """For background functions. Raises Unavailable when Storage is away, except in `purge` and `restore`."""

    def __init__(self, client: Any, buckets: Sequence[str]) -> None:
        self._client = client
        self._buckets = buckets

    def purge(self, prefix: JobPrefix, may_go_on: Callable[[], bool]) -> list[BucketPurge]:
        """Delete every generation of every object under `prefix`, in the three buckets in parallel.

        Each bucket's result either proves that nothing is left or says what went wrong. Safe to repeat at any
        time, and to run concurrently with itself. Before each batch of 100 objects a bucket asks `may_go_on`, on
        a thread of its own, and stops if the answer is no.
        """
        removals = [Removal(self._client, bucket, prefix, may_go_on) for bucket in self._buckets]
        with ThreadPoolExecutor(len(removals)) as threads:
            return list(threads.map(Removal.run, removals))

    def restore(
        self, prefix: JobPrefix, since: datetime, is_wanted: Callable[[], bool], removed: Mapping[str, int]
    ) -> list[BucketRestore]:
        """Bring back every object under `prefix` that was removed at `since` or later, in the three buckets in
        parallel.

        Of a name's generations, only the newest comes back: no reader sees older ones. A live object stays as it
        is. `is_wanted` is asked before each batch, by several threads. `removed` tells how many generations
        were removed from each bucket since then, so that it is noticed if some can no longer be found. Safe to
        repeat, as `purge` is.
        """
        recoveries = [
            Recovery(self._client, bucket, prefix, since, is_wanted, removed=removed.get(bucket, 0))
            for bucket in self._buckets
        ]
        with ThreadPoolExecutor(len(recoveries)) as threads:
            return list(threads.map(Recovery.run, recoveries))

    def objects(self, bucket: str, start: str | None = None) -> Iterator[StoredObject]:
        """Every generation of every object from name `start` on, in name order, read page by page."""
        with outages("Cloud Storage"):
            for blob in self._client.list_blobs(
                bucket, versions=True, start_offset=start, fields=_LISTED, **removing()
            ):
                yield StoredObject(blob.name, blob.size or 0, blob.time_created)

    def is_there(self, bucket: str, name: str) -> bool:
        """Whether the bucket has any generation of the object."""
        with outages("Cloud Storage"):
            # Names come in order, so the object itself comes before others whose names begin with its name.
            found = self._client.list_blobs(
                bucket, prefix=name, versions=True, max_results=1, fields="items(name)", **removing()
            )
            return any(blob.name == name for blob in found)

    def describe(self, bucket: str, name: str, generation: int | None = None) -> Description | None:
        """The given generation of an object, or else the live one; None if it does not exist."""
        with outages("Cloud Storage"):
            blob = self._client.bucket(bucket).get_blob(name, generation=generation, **removing())
        return Description(int(blob.generation), blob.size or 0, dict(blob.metadata or {})) if blob else None

    def read(self, bucket: str, name: str, generation: int, start: int, end: int) -> bytes | None:
        """The bytes from `start` up to `end`, exclusive, of this generation; None if it is gone or shorter.

        Reads the bytes as stored: decompressing an object that claims to be compressed could yield any number
        of bytes.
        """
        with outages("Cloud Storage"):
            try:
                blob = self._client.bucket(bucket).blob(name, generation=generation)
                content = blob.download_as_bytes(start=start, end=end - 1, raw_download=True, **removing())
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
        """Write an object in place of generation `replaces`, which is 0 if there is none yet.

        Returns whether it was written; another writer may have been first.
        """
        blob = self._client.bucket(bucket).blob(name)
        blob.cache_control = _CACHING
        blob.metadata = dict(metadata)
        with outages("Cloud Storage"):
            try:
                blob.upload_from_string(
                    content, content_type=content_type, if_generation_match=replaces, **removing()
                )
            except PreconditionFailed:
                return False
        return True

    def remove(self, bucket: str, name: str, generation: int) -> bool:
        """Delete only this generation of an object. Returns whether it was there."""
        with outages("Cloud Storage"):
            try:
                self._client.bucket(bucket).blob(name, generation=generation).delete(**removing())
            except NotFound:
                return False
        return True
