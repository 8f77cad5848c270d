"""URLs of the media of jobs in the three buckets. Nothing else but `objects` touches Cloud Storage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import log
from shared.job import ALL_SHOWN, Bucket, Job, JobPrefix, Medium, Picture, Shown, is_own_path, rfc3339
from shared.outages import ALL_OBJECTS_WITHIN, STORAGE_READING, outages
from shared.signing import Target, UrlSigner, Validity


@dataclass(frozen=True, slots=True)
class MediaUrls:
    """Signed URLs of one job's media and of the pictures for its tiles; None where it has no such thing."""

    job_id: str
    urls: Mapping[Shown, str | None]
    validity: Validity

    def as_json(self) -> dict[str, object]:
        return {
            "job_id": self.job_id,
            **{f"{shown.value}_url": self.urls[shown] for shown in ALL_SHOWN},
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


class MediaStore:
    """Finds and signs objects. Raises Unavailable when Storage is away."""

    def __init__(self, client: Any, buckets: Mapping[Bucket, str], signer: UrlSigner, pool: Executor) -> None:
        self._client = client
        self._names = buckets
        self._signer = signer
        self._pool = pool

    def urls(self, jobs: Sequence[Job], now: datetime) -> list[MediaUrls]:
        """The URLs of each job's media, all looked up and signed side by side."""
        wanted = [(job, shown) for job in jobs for shown in _shown(job)]
        targets = self._targets(wanted)
        validity = self._signer.validity(now)
        found = [(key, target) for key, target in zip(wanted, targets, strict=True) if target]
        signed = self._signer.sign([target for _, target in found], validity)
        urls = {(job.id, shown): url for ((job, shown), _), url in zip(found, signed, strict=True)}
        return [
            MediaUrls(job.id, {shown: urls.get((job.id, shown)) for shown in ALL_SHOWN}, validity) for job in jobs
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

    def bucket_of(self, medium: Medium) -> str:
        """The name of the bucket in which the layout has it."""
        return self._names[medium.bucket(medium.default_name or "")]

    def _targets(self, wanted: Iterable[tuple[Job, Shown]]) -> list[Target | None]:
        wanted = list(wanted)
        missing: list[tuple[Job, Shown, str]] = [
            (job, medium, medium.default_name)
            for job, medium in wanted
            if job.path(medium) is None and medium.default_name
        ]
        # What is still waiting is given up when one fails, so that an outage leaves no queue behind.
        with outages("Cloud Storage"):
            found = list(self._pool.map(lambda one: self._find(*one), missing, timeout=ALL_OBJECTS_WITHIN))
        by_default = {(job.id, medium): target for (job, medium, _), target in zip(missing, found, strict=True)}

        def target(job: Job, medium: Shown) -> Target | None:
            path = job.path(medium)
            return by_default.get((job.id, medium)) if path is None else self._target(job, medium, path)

        return [target(job, medium) for job, medium in wanted]

    def _target(self, job: Job, medium: Shown, path: str) -> Target | None:
        """The document's own path, if it is the owner's. Another of the owner's jobs may share it."""
        if not is_own_path(path, job.user_id):
            log.warning("media_path_not_owned", job_id=job.id, medium=medium.value)
            return None
        return Target(self._names[medium.bucket(path)], path)

    def _find(self, job: Job, medium: Shown, name: str) -> Target | None:
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


def _shown(job: Job) -> list[Shown]:
    """All but what belongs to an output that is not finished."""
    return [
        shown
        for shown in ALL_SHOWN
        if job.is_completed or (shown.medium if isinstance(shown, Picture) else shown) is not Medium.OUTPUT_VIDEO
    ]
