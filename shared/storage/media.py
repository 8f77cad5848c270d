"""URLs of job media in the three buckets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from shared import log
from shared.errors import Unavailable
from shared.jobs.job import ALL_SHOWN, Job, Medium, Shown, rfc3339
from shared.jobs.names import file_name
from shared.outages import ALL_OBJECTS_WITHIN, cause, is_away, outages, seconds_for
from shared.settings import Bucket
from shared.storage.finding import Finder, all_are_named, shown_of
from shared.storage.side_by_side import required, share
from shared.storage.signing import Target, UrlSigner, Validity

if TYPE_CHECKING:
    from shared.storage.lookups import Lookups

_MOST_KEPT = 256
"""Jobs that are kept with their URLs: 2 MB of usual ones, 27 MB of those with the longest texts."""
_MOST_CAUSES = 5
_KEYS = {shown: f"{shown}_url" for shown in ALL_SHOWN}


@dataclass(frozen=True, slots=True)
class MediaUrls:
    """Signed URLs of one job's media and of the pictures for its tiles; None for each that it does not have."""

    job_id: str
    urls: Mapping[Shown, str | None]
    playable: Mapping[Medium, bool]
    """Whether all browsers show or play the medium itself, where that is known."""
    validity: Validity

    @property
    def has_media(self) -> bool:
        return any(self.urls[medium] for medium in Medium)

    def as_json(self) -> dict[str, object]:
        return {
            "job_id": self.job_id,
            **{key: self.urls[shown] for shown, key in _KEYS.items()},
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
        self._finder = Finder(lookups, buckets, pool)
        self._names = buckets
        self._signer = signer
        self._kept: dict[tuple[Job, datetime], MediaUrls] = {}
        """By job and window."""
        self._lock = Lock()

    def urls(self, jobs: Sequence[Job], now: datetime) -> list[MediaUrls]:
        """The URLs of each job's media, all looked up and signed in parallel.

        A URL that cannot be made is logged and left None. Raises Unavailable only if no medium at all can be
        looked up or signed, because then Storage is away. What takes no calls is kept for whoever asks for the
        same job again within the URLs' window.
        """
        validity = self._signer.validity(now)
        keys = [(job.shortened(), validity.begins) for job in jobs]
        made = {key: kept for key in keys if (kept := self._kept.get(key))}
        if missing := [key for key in keys if key not in made]:
            new = dict(zip(missing, self._made([job for job, _ in missing], validity, made.values()), strict=True))
            self._keep({key: one for key, one in new.items() if self._can_be_kept(key[0], one)})
            made |= new
        return [MediaUrls(job.id, made[job, at].urls, made[job, at].playable, validity) for job, at in keys]

    def _can_be_kept(self, job: Job, made: MediaUrls) -> bool:
        """Whether it took no calls. A path that is not the owner's has no URL, which each answer logs."""
        if self._signer.takes_calls or not all_are_named(job):
            return False
        return all(made.urls[shown] or job.path(shown) is None for shown in shown_of(job))

    def _keep(self, new: Mapping[tuple[Job, datetime], MediaUrls]) -> None:
        with self._lock:
            self._kept.update(new)
            for key in list(self._kept)[:-_MOST_KEPT]:
                del self._kept[key]

    def _made(
        self, jobs: Sequence[Job], validity: Validity, others: Collection[MediaUrls] = ()
    ) -> list[MediaUrls]:
        """As `urls`. `others` belong to the same answer."""
        until, free = time.monotonic() + seconds_for(ALL_OBJECTS_WITHIN), share()
        found, playable = self._finder.all(jobs, free)
        known = {job.id: {**playable.get(job.id, {}), **job.playable} for job in jobs}
        unplayable = {(job_id, medium) for job_id, told in known.items() for medium in told if not told[medium]}
        targets = {
            key: _saved(target) if key in unplayable else target
            for key, target in found.items()
            if isinstance(target, Target)
        }
        signed = self._signer.try_to_sign(list(targets.values()), validity, until - time.monotonic(), free)
        outcomes = {**found, **dict(zip(targets, signed, strict=True))}
        urls = {key: url for key, url in outcomes.items() if isinstance(url, str)}
        if len(urls) < len(outcomes):
            media = [one for (_, shown), one in outcomes.items() if isinstance(shown, Medium)]
            failures = [one for one in media if isinstance(one, Exception)]
            all_fail = len(failures) == len(media) and not any(one.has_media for one in others)
            if failures and all_fail and all(map(is_away, failures)):
                raise Unavailable("Cloud Storage") from failures[0]
            of = len(outcomes) + sum(url is not None for one in others for url in one.urls.values())
            _log_failures(outcomes.values(), of)
        return [
            MediaUrls(
                job.id,
                {shown: urls.get((job.id, shown)) for shown in ALL_SHOWN},
                known[job.id],
                validity,
            )
            for job in jobs
        ]

    def version(self, jobs: Sequence[Job], now: datetime) -> str | None:
        """What is different as soon as `urls` gives others for the same documents.

        None if nothing short of making them can tell, because that takes calls.
        """
        if self._signer.takes_calls or not all(map(all_are_named, jobs)):
            return None
        return repr((self._signer.version(self._signer.validity(now)), *self._names.values()))

    def has_output(self, job: Job) -> bool:
        """Whether a completed job has an output. Signs nothing."""
        return self._finder.output(job) is not None

    def download(self, job: Job, now: datetime) -> Download | None:
        """A URL that makes a browser save a completed job's output; None if it has none."""
        target = self._finder.output(job)
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
        target = self._finder.output(job)
        if target is None:
            return None
        validity = self._signer.validity(now)
        pictures = [Target(self._names[Bucket.OUTPUTS], poster)] if poster else []
        video, *signed = self._signer.try_to_sign(
            [target, *pictures], validity, seconds_for(ALL_OBJECTS_WITHIN), share()
        )
        with outages("Cloud Storage"):
            url = required(video)
        _log_failures(signed, len(signed))
        return SharedUrls(url, next((one for one in signed if isinstance(one, str)), None), validity)


def _saved(target: Target) -> Target:
    """What a browser saves when it is opened, because it could not show it. Within a page it is shown as before:
    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Disposition
    """
    return target._replace(filename=target.path.rpartition("/")[2].replace('"', "_"))


def _log_failures(outcomes: Collection[object], of: int) -> None:
    """Log all failures at once: how many there are, of how many URLs, and of what kinds."""
    failures = [one for one in outcomes if isinstance(one, Exception)]
    if failures:
        tell = log.warning if all(map(is_away, failures)) else log.error
        causes = dict(Counter(map(cause, failures)).most_common(_MOST_CAUSES))
        tell("media_incomplete", failures=len(failures), of=of, causes=causes)
