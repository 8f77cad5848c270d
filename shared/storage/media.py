"""URLs of job media in the three buckets. Only this module and `objects` access Cloud Storage."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from threading import Semaphore
from typing import TYPE_CHECKING, TypeVar

from shared import log
from shared.errors import Unavailable
from shared.jobs.job import (
    ALL_SHOWN,
    Job,
    Medium,
    Picture,
    PictureKind,
    Shown,
    can_own_media,
    is_own_path,
    rfc3339,
)
from shared.jobs.names import file_name
from shared.outages import (
    ALL_OBJECTS_WITHIN,
    LOOKED_UP_WITHIN,
    PICTURES_WITHIN,
    cause,
    is_away,
    outages,
    seconds_for,
)
from shared.settings import Bucket
from shared.storage.side_by_side import required, share, side_by_side
from shared.storage.signing import Target, UrlSigner, Validity

if TYPE_CHECKING:
    from shared.storage.lookups import Lookups

T = TypeVar("T")
R = TypeVar("R")
Found = dict[tuple[str, Shown], Target | Exception | None]
"""Keyed by job id and medium or picture. None if there is no such object; an error if the lookup failed."""
Playable = dict[str, dict[Medium, bool]]
_MOST_CAUSES = 5


@dataclass(frozen=True, slots=True)
class MediaUrls:
    """Signed URLs of one job's media and of the pictures for its tiles; None for each that it does not have."""

    job_id: str
    urls: Mapping[Shown, str | None]
    playable: Mapping[Medium, bool]
    """Whether all browsers show or play the medium itself, where that is known."""
    validity: Validity

    def as_json(self) -> dict[str, object]:
        return {
            "job_id": self.job_id,
            **{f"{shown.value}_url": self.urls[shown] for shown in ALL_SHOWN},
            "playable": {medium.value: self.playable.get(medium) for medium in Medium},
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

    def __init__(
        self, lookups: Callable[[], Lookups], buckets: Mapping[Bucket, str], signer: UrlSigner, pool: Executor
    ) -> None:
        """`lookups` is called when something has to be looked up: few answers need the Cloud Storage library."""
        self._lookups = lookups
        self._names = buckets
        self._signer = signer
        self._pool = pool

    def urls(self, jobs: Sequence[Job], now: datetime) -> list[MediaUrls]:
        """The URLs of each job's media, all looked up and signed in parallel.

        A URL that cannot be made is logged and left None. Raises Unavailable only if no medium at all can be
        looked up or signed, because then Storage is away.
        """
        until, free = time.monotonic() + seconds_for(ALL_OBJECTS_WITHIN), share()
        found, playable = self._find_all([(job, shown) for job in jobs for shown in _shown(job)], free)
        validity = self._signer.validity(now)
        targets = {key: target for key, target in found.items() if isinstance(target, Target)}
        signed = self._signer.try_to_sign(list(targets.values()), validity, until - time.monotonic(), free)
        outcomes = {**found, **dict(zip(targets, signed, strict=True))}
        media = [one for (_, shown), one in outcomes.items() if isinstance(shown, Medium)]
        failures = [one for one in media if isinstance(one, Exception)]
        if failures and len(failures) == len(media) and all(map(is_away, failures)):
            raise Unavailable("Cloud Storage") from failures[0]
        _log_failures(outcomes.values())
        urls = {key: url for key, url in outcomes.items() if isinstance(url, str)}
        return [
            MediaUrls(
                job.id,
                {shown: urls.get((job.id, shown)) for shown in ALL_SHOWN},
                {**playable.get(job.id, {}), **job.playable},
                validity,
            )
            for job in jobs
        ]

    def version(self, jobs: Sequence[Job], now: datetime) -> str | None:
        """What is different as soon as `urls` gives others for the same documents.

        None if nothing short of making them can tell, because something would have to be looked up.
        """
        if any(_is_to_be_found(job, shown) for job in jobs for shown in _shown(job)):
            return None
        signed = self._signer.version(self._signer.validity(now))
        return None if signed is None else repr((signed, *self._names.values()))

    def download(self, job: Job, now: datetime) -> Download | None:
        """A URL that makes a browser save a completed job's output; None if it has none."""
        target = self._output(job)
        if target is None:
            return None
        validity = self._signer.validity(now)
        filename = file_name(job.name, job.id)
        (url,) = self._signer.sign([target._replace(filename=filename)], validity)
        return Download(url, filename, validity)

    def shared(self, job: Job, poster: str | None, now: datetime) -> SharedUrls | None:
        """What a share link shows of a completed job: its output and the `poster`. None if there is no output.

        The poster is also None if its URL cannot be made.
        """
        target = self._output(job)
        if target is None:
            return None
        validity = self._signer.validity(now)
        pictures = [Target(self._names[Bucket.OUTPUTS], poster)] if poster else []
        video, *signed = self._signer.try_to_sign(
            [target, *pictures], validity, seconds_for(ALL_OBJECTS_WITHIN), share()
        )
        with outages("Cloud Storage"):
            url = required(video)
        _log_failures(signed)
        return SharedUrls(url, next((one for one in signed if isinstance(one, str)), None), validity)

    def _output(self, job: Job) -> Target | None:
        path = job.path(Medium.OUTPUT_VIDEO)
        if path is not None:
            return self._target(job, Medium.OUTPUT_VIDEO, path)
        wanted = [(job, Medium.OUTPUT_VIDEO)]
        (found,) = self._look_up(lambda lookups: lookups.medium, wanted, LOOKED_UP_WITHIN, share())
        with outages("Cloud Storage"):
            return required(found)

    def _find_all(self, wanted: Sequence[tuple[Job, Shown]], free: Semaphore) -> tuple[Found, Playable]:
        """Find each object: the one that the document names, or the one at the expected place.

        Returns also what was found out on the way about media being playable.
        """
        found: Found = {}
        playable: Playable = {}
        missing: list[tuple[Job, Medium]] = []
        posters: list[tuple[Job, Picture]] = []
        for job, shown in wanted:
            path = job.path(shown)
            if path is not None:
                if target := self._target(job, shown, path):
                    found[job.id, shown] = target
            elif not _is_to_be_found(job, shown):
                continue
            elif isinstance(shown, Medium):
                missing.append((job, shown))
            else:
                posters.append((job, shown))
        if not posters and not missing:
            return found, playable
        beside = self._look_up(lambda lookups: lookups.pictures, posters, PICTURES_WITHIN, free)
        for (job, poster), pictures in zip(posters, beside, strict=True):
            if isinstance(pictures, Exception):
                found[job.id, poster] = pictures
            else:
                targets, is_playable = pictures
                found |= {(job.id, one): where for one, where in targets.items() if job.path(one) is None}
                if is_playable is not None:
                    playable.setdefault(job.id, {})[job.pictured(poster)] = is_playable
        listed = self._look_up(lambda lookups: lookups.medium, missing, LOOKED_UP_WITHIN, free)
        found |= {(job.id, medium): one for (job, medium), one in zip(missing, listed, strict=True)}
        return found, playable

    def _look_up(
        self, how: Callable[[Lookups], Callable[[T], R]], wanted: Sequence[T], limit: float, free: Semaphore
    ) -> list[R | Exception]:
        """What was found for each, or why not. Setting up the library may take calls, so the pool does it."""

        def call(one: T) -> R:
            return how(self._lookups())(one)

        return side_by_side(self._pool, call, wanted, seconds_for(limit), free)

    def _target(self, job: Job, shown: Shown, path: str) -> Target | None:
        """The document's own path if it belongs to the owner. Several jobs of one owner may share it."""
        if not is_own_path(path, job.user_id):
            where, why = _field(job, shown), _why_not(path, job)
            log.warning("media_path_not_owned", job_id=job.id, field=where, reason=why)
            return None
        if isinstance(shown, Picture):
            medium = job.pictured(shown)
            return Target(self._names[medium.bucket(job.path(medium) or path)], path)
        return Target(self._names[shown.bucket(path)], path)


def _field(job: Job, shown: Shown) -> str:
    """The document field that holds the path."""
    if isinstance(shown, Picture):
        return f"{shown.kind.value}.{job.pictured(shown).value}"
    return f"{shown.value}_path"


def _why_not(path: str, job: Job) -> str:
    """Why the path is not the owner's. The path itself may name another user, so it is not logged."""
    if not can_own_media(job.user_id):
        return "the job's user can own no media"
    return "it is no object's name" if path.startswith(f"{job.user_id}/") else "it is not under the job's user"


def _is_to_be_found(job: Job, shown: Shown) -> bool:
    """Whether the document names no such object, and there may be one all the same."""
    if job.path(shown) is not None:
        return False
    if isinstance(shown, Medium):
        return shown.default_name is not None
    return shown.kind is PictureKind.POSTER and _may_lie_beside(job, shown)


def _may_lie_beside(job: Job, poster: Picture) -> bool:
    """Whether the document says neither where the poster is nor that there is none."""
    medium = job.pictured(poster)
    path = job.path(medium)
    return medium not in job.posters and path is not None and is_own_path(path, job.user_id)


def _shown(job: Job) -> list[Shown]:
    """Everything to show, except what belongs to an unfinished output."""
    return [
        shown
        for shown in ALL_SHOWN
        if job.is_completed or (shown.medium if isinstance(shown, Picture) else shown) is not Medium.OUTPUT_VIDEO
    ]


def _log_failures(outcomes: Collection[object]) -> None:
    """Log all failures at once: how many there are, and of what kinds."""
    failures = [one for one in outcomes if isinstance(one, Exception)]
    if failures:
        tell = log.warning if all(map(is_away, failures)) else log.error
        causes = dict(Counter(map(cause, failures)).most_common(_MOST_CAUSES))
        tell("media_incomplete", failures=len(failures), of=len(outcomes), causes=causes)
