"""Finds the objects of jobs: what the documents name, and what they do not name where it is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from threading import Semaphore
from typing import TYPE_CHECKING, TypeVar

from shared import log
from shared.jobs.job import (
    ALL_SHOWN,
    OF_INPUTS,
    Job,
    Medium,
    Picture,
    PictureKind,
    Shown,
    can_own_media,
    is_own_path,
)
from shared.outages import LOOKED_UP_WITHIN, PICTURES_WITHIN, outages, seconds_for
from shared.settings import Bucket
from shared.storage.side_by_side import required, share, side_by_side
from shared.storage.signing import Target

if TYPE_CHECKING:
    from shared.storage.lookups import Lookups

T = TypeVar("T")
R = TypeVar("R")
Found = dict[tuple[str, Shown], Target | Exception | None]
"""Keyed by job id and medium or picture. None if there is no such object; an error if the lookup failed."""
Playable = dict[str, dict[Medium, bool]]

_LISTED = [medium for medium in Medium if medium.default_name is not None]
_LISTED_INPUTS = [medium for medium in _LISTED if medium is not Medium.OUTPUT_VIDEO]


class Finder:
    def __init__(self, lookups: Callable[[], Lookups], buckets: Mapping[Bucket, str], pool: Executor) -> None:
        """`lookups` is called when something has to be looked up: few answers need the Cloud Storage library."""
        self._lookups = lookups
        self._names = buckets
        self._pool = pool

    def all(self, jobs: Sequence[Job], free: Semaphore) -> tuple[Found, Playable]:
        """Each object: the one that the document names, or the one at the expected place.

        Returns also what was found out on the way about media being playable.
        """
        found: Found = {}
        playable: Playable = {}
        missing: list[tuple[Job, Medium]] = []
        posters: list[tuple[Job, Picture]] = []
        for job in jobs:
            for shown in shown_of(job):
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

    def output(self, job: Job) -> Target | None:
        """The output. Raises Unavailable if it must be looked up and Storage is away."""
        path = job.path(Medium.OUTPUT_VIDEO)
        if path is not None:
            return self._target(job, Medium.OUTPUT_VIDEO, path)
        wanted = [(job, Medium.OUTPUT_VIDEO)]
        (found,) = self._look_up(lambda lookups: lookups.medium, wanted, LOOKED_UP_WITHIN, share())
        with outages("Cloud Storage"):
            return required(found)

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


def all_are_named(job: Job) -> bool:
    """Whether nothing of the job has to be looked up."""
    return not any(job.path(shown) is None and _is_to_be_found(job, shown) for shown in shown_of(job))


def listings(job: Job) -> int:
    """How many listings it takes to find the media that the document does not name."""
    return sum(job.path(medium) is None for medium in (_LISTED if job.is_completed else _LISTED_INPUTS))


def shown_of(job: Job) -> tuple[Shown, ...]:
    """Everything to show, except what belongs to an unfinished output."""
    return ALL_SHOWN if job.is_completed else OF_INPUTS


def _is_to_be_found(job: Job, shown: Shown) -> bool:
    """Whether there may be such an object, although the document names none."""
    if isinstance(shown, Medium):
        return shown.default_name is not None
    return shown.kind is PictureKind.POSTER and _may_lie_beside(job, shown)


def _may_lie_beside(job: Job, poster: Picture) -> bool:
    """Whether the document says neither where the poster is nor that there is none."""
    medium = job.pictured(poster)
    path = job.path(medium)
    return medium not in job.posters and path is not None and is_own_path(path, job.user_id)


def _field(job: Job, shown: Shown) -> str:
    """The document field that holds the path."""
    if isinstance(shown, Picture):
        return f"{shown.kind.value}.{job.pictured(shown).value}"
    return shown.path_field


def _why_not(path: str, job: Job) -> str:
    """Why the path is not the owner's. The path itself may name another user, so it is not logged."""
    if not path:
        return "it is no text, or too long"
    if not can_own_media(job.user_id):
        return "the job's user can own no media"
    return "it is no object's name" if path.startswith(f"{job.user_id}/") else "it is not under the job's user"
