"""The media of jobs in the three buckets. Nothing else touches Cloud Storage."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.exceptions import GoogleAuthError
from requests.exceptions import RequestException

from shared import log
from shared.job import Bucket, Job, JobPrefix, Medium, is_own_path, rfc3339
from shared.outages import ALL_OBJECTS_WITHIN, STORAGE_READING, STORAGE_REMOVING, outages
from shared.purge import BucketPurge
from shared.signing import Target, UrlSigner, Validity

_DELETED_AT_ONCE = 100
_MOST_ROUNDS = 3
_LISTED = "items(name,generation,size,timeCreated),nextPageToken"
_FAILURES = (GoogleAPIError, GoogleAuthError, RequestException)


@dataclass(frozen=True, slots=True)
class MediaUrls:
    """Signed URLs of one job's media; None where it has no such medium."""

    job_id: str
    urls: Mapping[Medium, str | None]
    validity: Validity

    def as_json(self) -> dict[str, object]:
        return {
            "job_id": self.job_id,
            **{f"{medium.value}_url": self.urls[medium] for medium in Medium},
            "expires_in_seconds": self.validity.expires_in,
            "expires_at": rfc3339(self.validity.expires_at),
        }


@dataclass(frozen=True, slots=True)
class Download:
    url: str
    filename: str
    validity: Validity


@dataclass(frozen=True, slots=True)
class SharedUrls:
    video: str
    poster: str | None
    validity: Validity


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One generation of an object."""

    name: str
    size: int
    """Bytes."""
    created_at: datetime


class MediaStore:
    """Lists, signs and deletes objects with one client. Raises Unavailable when Storage is away."""

    def __init__(self, client: Any, buckets: Mapping[Bucket, str], signer: UrlSigner, pool: Executor) -> None:
        self._client = client
        self._names = buckets
        self._signer = signer
        self._pool = pool

    def urls(self, jobs: Sequence[Job], now: datetime) -> list[MediaUrls]:
        """The URLs of each job's media, all looked up and signed side by side."""
        wanted = [(job, medium) for job in jobs for medium in _shown(job)]
        targets = self._targets(wanted)
        validity = self._signer.validity(now)
        found = [(key, target) for key, target in zip(wanted, targets, strict=True) if target]
        signed = self._signer.sign([target for _, target in found], validity)
        urls = {(job.id, medium): url for ((job, medium), _), url in zip(found, signed, strict=True)}
        return [
            MediaUrls(job.id, {medium: urls.get((job.id, medium)) for medium in Medium}, validity) for job in jobs
        ]

    def download(self, job: Job, now: datetime) -> Download | None:
        """A URL that makes a browser save a completed job's output; None if it has none."""
        (target,) = self._targets([(job, Medium.OUTPUT_VIDEO)])
        if target is None:
            return None
        validity = self._signer.validity(now)
        filename = f"nuumee-{job.id}.mp4"
        (url,) = self._signer.sign([target._replace(filename=filename)], validity)
        return Download(url, filename, validity)

    def shared(self, job: Job, poster: str | None, now: datetime) -> SharedUrls | None:
        """What a share link shows of a completed job: its output, and the `poster`; None without an output."""
        (target,) = self._targets([(job, Medium.OUTPUT_VIDEO)])
        if target is None:
            return None
        validity = self._signer.validity(now)
        pictures = [Target(self._names[Bucket.OUTPUTS], poster)] if poster else []
        video, *signed = self._signer.sign([target, *pictures], validity)
        return SharedUrls(video, signed[0] if signed else None, validity)

    def purge(self, prefix: JobPrefix) -> list[BucketPurge]:
        """Delete every generation of every object under `prefix`, in the three buckets side by side.

        Each bucket's result either proves that nothing is left or says what went wrong. Safe to run again at
        any time, and beside another run of itself.
        """
        # Threads of its own: what waits for the shared pool must not also fill it.
        with ThreadPoolExecutor(len(self._names)) as threads:
            return list(threads.map(self._purge_bucket, self._names.values(), itertools.repeat(prefix)))

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

    def remove(self, bucket: str, name: str, generation: int) -> None:
        """Delete just this generation of an object, if it is there."""
        with outages("Cloud Storage"), suppress(NotFound):
            self._client.bucket(bucket).blob(name, generation=generation).delete(**STORAGE_REMOVING)

    def _targets(self, wanted: Iterable[tuple[Job, Medium]]) -> list[Target | None]:
        wanted = list(wanted)
        missing = [
            (job, medium, medium.default_name)
            for job, medium in wanted
            if job.path(medium) is None and medium.default_name
        ]
        # What is still waiting is given up when one fails, so that an outage leaves no queue behind.
        with outages("Cloud Storage"):
            found = list(self._pool.map(lambda one: self._find(*one), missing, timeout=ALL_OBJECTS_WITHIN))
        by_default = {(job.id, medium): target for (job, medium, _), target in zip(missing, found, strict=True)}

        def target(job: Job, medium: Medium) -> Target | None:
            path = job.path(medium)
            return by_default.get((job.id, medium)) if path is None else self._target(job, medium, path)

        return [target(job, medium) for job, medium in wanted]

    def _target(self, job: Job, medium: Medium, path: str) -> Target | None:
        """The document's own path, if it is the owner's. Another of the owner's jobs may share it."""
        if not is_own_path(path, job.user_id):
            log.warning("media_path_not_owned", job_id=job.id, medium=medium.value)
            return None
        return Target(self._names[medium.bucket(path)], path)

    def _find(self, job: Job, medium: Medium, name: str) -> Target | None:
        """What lies under the job's prefix, with a name that begins so, where the document names no path."""
        try:
            prefix = JobPrefix(job.user_id, job.id)
        except ValueError:
            return None
        bucket = self._names[medium.bucket(name)]
        # The delimiter leaves out what lies in folders, of which there may be any number.
        blobs = self._client.list_blobs(
            bucket,
            prefix=f"{prefix}{name}",
            delimiter="/",
            max_results=10,
            fields="items(name)",
            **STORAGE_READING,
        )
        for blob in blobs:
            if name.endswith(".") or blob.name == f"{prefix}{name}":
                return Target(bucket, blob.name)
        return None

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


def _shown(job: Job) -> list[Medium]:
    return [medium for medium in Medium if medium is not Medium.OUTPUT_VIDEO or job.is_completed]


def _batches(blobs: Iterable[Any], size: int) -> Iterable[list[Any]]:
    iterator = iter(blobs)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
