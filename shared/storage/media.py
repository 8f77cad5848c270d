"""URLs of the media of jobs in the three buckets. Nothing else but `objects` touches Cloud Storage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import log
from shared.jobs.job import (
    ALL_SHOWN,
    POSTER_NAME,
    Bucket,
    Job,
    JobPrefix,
    Medium,
    Picture,
    Shown,
    can_own_media,
    is_own_path,
    picture_beside,
    rfc3339,
)
from shared.outages import ALL_OBJECTS_WITHIN, PICTURES_WITHIN, STORAGE_GLANCE, STORAGE_READING, outages
from shared.storage.pictures import pictures_of
from shared.storage.signing import Target, UrlSigner, Validity


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

    def _targets(self, wanted: Iterable[tuple[Job, Shown]]) -> list[Target | None]:
        wanted = list(wanted)
        missing = [
            (job, shown)
            for job, shown in wanted
            if isinstance(shown, Medium) and shown.default_name and job.path(shown) is None
        ]
        posters = [
            (job, shown)
            for job, shown in wanted
            if isinstance(shown, Picture) and not shown.is_preview and _may_lie_beside(job, shown)
        ]
        # What is still waiting is given up when one fails, so that an outage leaves no queue behind.
        with outages("Cloud Storage"):
            found = self._pool.map(lambda one: self._find(*one), missing, timeout=ALL_OBJECTS_WITHIN)
            pictures = self._find_pictures(posters)
            there: dict[tuple[str, Shown], Target | None] = {
                (job.id, shown): target for (job, shown), target in zip(missing, found, strict=True)
            }

        def target(job: Job, shown: Shown) -> Target | None:
            path = job.path(shown)
            if path is not None:
                return self._target(job, shown, path)
            return there.get((job.id, shown)) or pictures.get((job.id, shown))

        return [target(job, shown) for job, shown in wanted]

    def _target(self, job: Job, shown: Shown, path: str) -> Target | None:
        """The document's own path, if it is the owner's. Another of the owner's jobs may share it."""
        if not is_own_path(path, job.user_id):
            where, why = _field(job, shown), _why_not(path, job)
            log.warning("media_path_not_owned", job_id=job.id, field=where, reason=why)
            return None
        if isinstance(shown, Picture):
            medium = job.pictured(shown)
            return Target(self._names[medium.bucket(job.path(medium) or path)], path)
        return Target(self._names[shown.bucket(path)], path)

    def _find_pictures(self, posters: Sequence[tuple[Job, Picture]]) -> dict[tuple[str, Shown], Target]:
        """The posters beside their media, and the previews that those know of.

        The document does not name those of a medium that was uploaded before its job was there, or that is an
        earlier job's, until the output comes. What fails or takes long is left out: a tile does without.
        """
        begun = {self._pool.submit(self._pictures_beside, *one): one for one in posters}
        done, late = wait(begun, PICTURES_WITHIN)
        for one in late:
            one.cancel()
        found: dict[tuple[str, Shown], Target] = {}
        failures = ["late"] * len(late)
        for one in done:
            job, _ = begun[one]
            if error := one.exception():
                failures.append(type(error).__name__)
            else:
                found.update({(job.id, picture): target for picture, target in one.result().items()})
        if failures:
            log.warning("pictures_not_found", failures=Counter(failures), of=len(begun))
        return found

    def _pictures_beside(self, job: Job, poster: Picture) -> dict[Picture, Target]:
        medium = job.pictured(poster)
        path = str(job.path(medium))
        bucket = self._client.bucket(self._names[medium.bucket(path)])
        blob = bucket.get_blob(picture_beside(path, POSTER_NAME), **STORAGE_GLANCE)
        pictures = pictures_of(path, blob.metadata or {}) if blob else None
        if pictures is None:
            return {}
        names = {
            each: pictures.preview if each.is_preview else pictures.poster
            for each in Picture
            if each.medium is poster.medium
        }
        return {each: Target(bucket.name, name) for each, name in names.items() if name is not None}

    def _find(self, job: Job, medium: Medium) -> Target | None:
        """What lies under the job's prefix, with a name that begins so, where the document names no path."""
        try:
            prefix = JobPrefix(job.user_id, job.id)
        except ValueError:
            return None
        name = medium.default_name or ""
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


def _field(job: Job, shown: Shown) -> str:
    """Where the document has the path."""
    if isinstance(shown, Picture):
        return f"{'previews' if shown.is_preview else 'posters'}.{job.pictured(shown).value}"
    return f"{shown.value}_path"


def _why_not(path: str, job: Job) -> str:
    """Why the path is not the owner's own. The path itself may name whom it likes, and is not for the log."""
    if not can_own_media(job.user_id):
        return "the job's user can own no media"
    return "it is no object's name" if path.startswith(f"{job.user_id}/") else "it is not under the job's user"


def _may_lie_beside(job: Job, poster: Picture) -> bool:
    """Whether nothing says yet where the poster is, or that there is none."""
    medium = job.pictured(poster)
    path = job.path(medium)
    return medium not in job.posters and path is not None and is_own_path(path, job.user_id)


def _shown(job: Job) -> list[Shown]:
    """All but what belongs to an output that is not finished."""
    return [
        shown
        for shown in ALL_SHOWN
        if job.is_completed or (shown.medium if isinstance(shown, Picture) else shown) is not Medium.OUTPUT_VIDEO
    ]
