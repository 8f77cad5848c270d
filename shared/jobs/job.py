"""A job as the API shows it, and where its media are stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote

from shared.settings import Bucket

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
"""A control character, line end, or lone surrogate, which has no UTF-8."""
_CONTROLS = re.compile(_CONTROL)
_UNUSABLE = re.compile(rf"{_CONTROL}|\\|/\.{{0,2}}(/|$)")
"""What makes the path after a user id ambiguous: an odd character, or a segment that is empty or a step up."""
_RESERVED_ID = re.compile(r"__.*__")
_RESERVED_WORDS = frozenset({"cost", "erasure"})
"""Paths under /jobs/ that are not ids: GET /jobs/cost belongs to the job service."""
_LONGEST_USER_ID = 128
_LONGEST_OBJECT_NAME = 1024


class JobStatus(StrEnum):
    PENDING = "pending"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


FINAL_STATUSES = (JobStatus.COMPLETED, JobStatus.FAILED)
"""A job of any other status, known or unknown, is in progress."""
JOB_TYPES = ("animate", "extend", "upscale", "foley", "subtitles", "watermark")
"""Types that lists can be filtered by. The job service may write others."""
OTHER = "other"
"""Name in filters and counts for jobs with an unknown status or none."""
LONGEST_LISTED_TEXT = 2_000
"""Most characters of a free text in lists. A single job's answer has the full text."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
"""Firestore keeps times to this."""


class Medium(StrEnum):
    """A file that a job can have a URL for."""

    REFERENCE_IMAGE = "reference_image"
    MOTION_VIDEO = "motion_video"
    INPUT_VIDEO = "input_video"
    OUTPUT_VIDEO = "output_video"

    path_field: str
    """The field of a job that names the medium's object."""

    def __init__(self, name: str) -> None:
        self.path_field = f"{name}_path"

    @property
    def default_name(self) -> str | None:
        """How the object's name under the job's prefix begins if the document gives no path."""
        return _DEFAULT_NAMES.get(self)

    def bucket(self, path: str) -> Bucket:
        """The medium's bucket. An input video is an upload or an earlier job's output; its name tells which."""
        if self is Medium.REFERENCE_IMAGE:
            return Bucket.IMAGES
        if self is Medium.OUTPUT_VIDEO or (
            self is Medium.INPUT_VIDEO and path.rpartition("/")[2] == _DEFAULT_NAMES[Medium.OUTPUT_VIDEO]
        ):
            return Bucket.OUTPUTS
        return Bucket.VIDEOS


_DEFAULT_NAMES = {
    Medium.REFERENCE_IMAGE: "reference.",
    Medium.MOTION_VIDEO: "motion.",
    Medium.OUTPUT_VIDEO: "output.mp4",
}
POSTER_NAME = "poster.webp"


class PictureKind(StrEnum):
    """The values are the document's fields, which hold an object name for each medium, save SHARE_PICTURE."""

    POSTER = "posters"
    PREVIEW = "previews"
    VIEW = "views"
    """Of an image that browsers do not show."""
    STORYBOARD = "storyboards"
    SHARE_PICTURE = "share_picture"
    """Of an output, for chats: see shared/jobs/share_picture.py."""

    @property
    def object_name(self) -> str:
        """Name of the object beside the medium."""
        return _OBJECT_NAMES[self]


_OBJECT_NAMES = {
    PictureKind.POSTER: POSTER_NAME,
    PictureKind.PREVIEW: "preview.mp4",
    PictureKind.VIEW: "view.webp",
    PictureKind.STORYBOARD: "storyboard.webp",
    PictureKind.SHARE_PICTURE: "picture.jpg",
}


class Picture(StrEnum):
    """A picture that the page shows instead of the medium. It is stored beside the medium."""

    REFERENCE_POSTER = "reference_poster"
    MOTION_POSTER = "motion_poster"
    OUTPUT_POSTER = "output_poster"
    MOTION_PREVIEW = "motion_preview"
    OUTPUT_PREVIEW = "output_preview"
    REFERENCE_VIEW = "reference_view"
    OUTPUT_STORYBOARD = "output_storyboard"

    def __init__(self, name: str) -> None:
        shown, _, kind = name.partition("_")
        self.medium = next(medium for medium in Medium if medium.startswith(f"{shown}_"))
        self.kind = PictureKind(f"{kind}s")


Shown = Medium | Picture
ALL_SHOWN: tuple[Shown, ...] = (*Medium, *Picture)
OF_INPUTS = tuple(
    shown
    for shown in ALL_SHOWN
    if (shown.medium if isinstance(shown, Picture) else shown) is not Medium.OUTPUT_VIDEO
)
"""What is shown of a job without an output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One live job. `status` and `job_type` are text because a newer writer may use values unknown here."""

    id: str
    user_id: str
    name: str | None = None
    """What the owner calls it."""
    short_id: str | None = None
    share_expires_at: datetime | None = None
    """When its link ends; None for never."""
    share_name: bool = False
    """Whether its link shows the name."""
    job_type: str | None = None
    status: str | None = None
    reference_image_path: str | None = None
    motion_video_path: str | None = None
    source_job_id: str | None = None
    input_video_path: str | None = None
    extension_prompt: str | None = None
    resolution: str | None = None
    seed: int | None = None
    credits_charged: int | float | None = None
    credits_refunded: int | float | None = None
    """Credits that were given back, of those charged."""
    wavespeed_request_id: str | None = None
    output_video_path: str | None = None
    damaged_paths: frozenset[Medium] = frozenset()
    """Media whose path the document gives in a way that cannot be read."""
    error_message: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None
    view_count: int = 0
    posters: Mapping[Medium, str | None] = field(default_factory=dict, hash=False)
    previews: Mapping[Medium, str | None] = field(default_factory=dict, hash=False)
    views: Mapping[Medium, str | None] = field(default_factory=dict, hash=False)
    storyboards: Mapping[Medium, str | None] = field(default_factory=dict, hash=False)
    """Object names, which may be any text; None if the medium is known to have none."""
    playable: Mapping[Medium, bool] = field(default_factory=dict, hash=False)
    """Whether all browsers show or play the medium itself, where that is known."""

    @property
    def is_completed(self) -> bool:
        return self.status == JobStatus.COMPLETED

    def shortened(self) -> Job:
        """The job with long free texts cut and ended with `…`."""
        prompt, message = _cut(self.extension_prompt), _cut(self.error_message)
        if prompt is self.extension_prompt and message is self.error_message:
            return self  # nearly always, and a copy takes as long as reading the document
        return replace(self, extension_prompt=prompt, error_message=message)

    def path(self, shown: Shown) -> str | None:
        """The object's name in the document, which may be any text; empty if it is damaged, and None if absent."""
        if isinstance(shown, Medium):
            path: str | None = getattr(self, shown.path_field)
            return "" if path is None and shown in self.damaged_paths else path
        known: Mapping[Medium, str | None] = getattr(self, shown.kind)
        return known.get(self.pictured(shown)) if known else None

    def pictured(self, picture: Picture) -> Medium:
        """The medium that the picture shows. A job without a motion video uses its input video in its place."""
        medium = picture.medium
        if medium is Medium.MOTION_VIDEO and self.path(medium) is None and self.input_video_path:
            return Medium.INPUT_VIDEO
        return medium

    def share_url(self, share_origin: str) -> str | None:
        return f"{share_origin}/v/{quote(self.short_id, safe='')}" if self.short_id else None

    def as_json(self, share_origin: str) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "short_id": self.short_id,
            "share_url": self.share_url(share_origin),
            "share_expires_at": rfc3339(self.share_expires_at),
            "share_name": self.share_name,
            "user_id": self.user_id,
            "job_type": self.job_type,
            "status": self.status,
            "reference_image_path": self.reference_image_path,
            "motion_video_path": self.motion_video_path,
            "source_job_id": self.source_job_id,
            "input_video_path": self.input_video_path,
            "extension_prompt": self.extension_prompt,
            "resolution": self.resolution,
            "seed": self.seed,
            "credits_charged": self.credits_charged,
            "credits_refunded": self.credits_refunded,
            "wavespeed_request_id": self.wavespeed_request_id,
            "output_video_path": self.output_video_path,
            "error_message": self.error_message,
            "created_at": rfc3339(self.created_at),
            "updated_at": rfc3339(self.updated_at),
            "completed_at": rfc3339(self.completed_at),
            "view_count": self.view_count,
        }


@dataclass(frozen=True, slots=True)
class JobPrefix:
    """`{user_id}/{job_id}/`: the prefix of everything that belongs to one job in each bucket, and of nothing else.

    Raises ValueError unless both ids are valid, so that a prefix never covers more than one job.
    """

    user_id: str
    job_id: str

    def __post_init__(self) -> None:
        if not can_own_media(self.user_id):
            raise ValueError("a user id that can own no media makes no prefix")
        if not is_job_id(self.job_id):
            raise ValueError("what is no job id makes no prefix")

    def __str__(self) -> str:
        return f"{self.user_id}/{self.job_id}/"

    @classmethod
    def of_object(cls, name: str) -> JobPrefix | None:
        """The job prefix that an object's name begins with; None if there is none.

        Any object with the prefix belongs to the job, however odd the rest of its name: the purge removes it too.
        """
        user_id, _, rest = name.partition("/")
        job_id, slash, _ = rest.partition("/")
        return cls(user_id, job_id) if slash and is_job_id(job_id) and can_own_media(user_id) else None


def is_job_id(text: object) -> bool:
    """Whether `text` could be a job's id."""
    return is_id_prefix(text) and text not in _RESERVED_WORDS


def is_id_prefix(text: object) -> bool:
    """Whether a job's id could begin with `text`.

    Firestore reserves ids of the form __.*__: https://firebase.google.com/docs/firestore/quotas#limits
    """
    return isinstance(text, str) and bool(_JOB_ID.fullmatch(text)) and not _RESERVED_ID.fullmatch(text)


def can_own_media(user_id: object) -> bool:
    """Whether objects can be stored under `{user_id}/`. Custom sign-in may choose uids for which they cannot."""
    return isinstance(user_id, str) and _can_own_media(user_id)


@lru_cache(256)  # a page asks for the same user 160 times
def _can_own_media(user_id: str) -> bool:
    return (
        1 <= len(user_id) <= _LONGEST_USER_ID
        and user_id != "."
        and "/" not in user_id
        and ".." not in user_id
        and not _CONTROLS.search(user_id)
    )


def is_own_path(path: str, user_id: str) -> bool:
    """Whether `path` names an object under `{user_id}/` and cannot be read as any other name."""
    return (
        path.startswith(f"{user_id}/")
        and can_own_media(user_id)
        and not _UNUSABLE.search(path, len(user_id))
        and len(path.encode()) <= _LONGEST_OBJECT_NAME
    )


def picture_beside(path: str, name: str) -> str:
    """Name of the picture's object beside the object at `path`."""
    return f"{path.rpartition('/')[0]}/{name}"


def status_group(status: object) -> str:
    """The name that filters and counts use for a document's status."""
    return next((known.value for known in JobStatus if known == status), OTHER)


def newest_first(job: Job) -> tuple[datetime, str]:
    """Sort key for lists, used in descending order: `created_at`, then id."""
    return (job.created_at or datetime.min.replace(tzinfo=UTC), job.id)


def rfc3339(time: datetime | None) -> str | None:
    """A time in UTC with `Z`."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST_LISTED_TEXT else text[: LONGEST_LISTED_TEXT - 1] + "…"
