"""Typed settings. Those that may differ between deployments are read once from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

EMULATOR_VARIABLES = (
    "FIREBASE_AUTH_EMULATOR_HOST",
    "FIRESTORE_EMULATOR_HOST",
    "PUBSUB_EMULATOR_HOST",
    "STORAGE_EMULATOR_HOST",
)


_HOST = r"(?:[a-z0-9.-]+|\[[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*\])"
ORIGIN = f"(https://{_HOST}(?!:443\\b)|http://{_HOST}(?!:80\\b))(:[1-9][0-9]*)?"
"""An origin as browsers send it, which is how it is compared: https://url.spec.whatwg.org/#origin"""
ORIGIN_FORM = "in lower case and without the default port, such as"
MOST_REQUESTS_PER_MINUTE = 999_999


class Bucket(StrEnum):
    """The three buckets. Their names are settings."""

    IMAGES = "images"
    VIDEOS = "videos"
    OUTPUTS = "outputs"


def dead_letters(topic: str) -> str:
    """Name of the dead-letter topic of `topic`, and of its only subscription."""
    return f"{topic}-dead-letters"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An HMAC key of a service account: https://cloud.google.com/storage/docs/authentication/hmackeys"""

    access_id: str
    secret: str = field(repr=False)


class SettingsError(Exception):
    """A setting is missing or invalid. The message names it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    project: str
    allowed_origins: tuple[str, ...]
    images_bucket: str = "nuumee-images"
    videos_bucket: str = "nuumee-videos"
    outputs_bucket: str = "nuumee-outputs"
    job_deleted_topic: str = "job-deleted"
    job_restored_topic: str = "job-restored"
    jobs_erased_topic: str = "jobs-erased"
    object_finalized_topic: str = "object-finalized"
    video_viewed_topic: str = "video-viewed"
    share_origin: str = "https://nuumee.ai"
    signing_key: SigningKey | None = None
    """Signs URLs. Its account may only read the three buckets. Functions that sign do not start without it."""
    keyless: bool = False
    """Sign through IAM instead, as the function's own account, with a call for each URL."""
    storage_emulator: str | None = None
    is_deployed: bool = False
    """Whether this is a service on Cloud Run, rather than a local process."""
    revision: str = ""
    """Which deployment this is: https://cloud.google.com/run/docs/container-contract#services-env-vars"""
    release: str = ""
    """Commit and time of the release, for the log."""
    url_lifetime: int = 3600
    """Lifetime of a signed URL in seconds, counted from the start of its window."""
    url_window: int = 900
    """Seconds within which the same medium gets the same URL."""

    sweep_after: timedelta = timedelta(minutes=5)
    """How long a purge may stay pending before it is requested again."""
    longest_run: timedelta = timedelta(minutes=5)
    """After this time, a run that removes objects and has not ended counts as killed: the timeout of purge_job. A
    restore waits for it.
    """
    short_id_length: int = 8
    """Length of a new short id: 8, 12 or 16. Longer ids are harder to guess; ids given out before stay valid."""
    forwarded_hops: int = 1
    """Number of entries that Google appends to X-Forwarded-For: 1 at a function's URL (the client's address), 2
    behind a load balancer (the client's address, then its own).
    https://cloud.google.com/load-balancing/docs/https#x-forwarded-for_header
    """
    patience: int = 1
    """Factor for time limits: see `shared/outages.py`. Tests that are not about timing raise it, so that they pass
    on a busy machine.
    """
    requests_per_minute: int = 600
    """Requests a user may send to one instance of a function: this many at once, then this many per minute. Lists
    that cost much count as several.
    """

    @property
    def buckets(self) -> tuple[str, str, str]:
        """The buckets' names, in the order of `Bucket`."""
        return (self.images_bucket, self.videos_bucket, self.outputs_bucket)

    @property
    def bucket_names(self) -> dict[Bucket, str]:
        return dict(zip(Bucket, self.buckets, strict=True))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings. Raises SettingsError, naming the variable, if one is missing or invalid."""
        _refuse_emulators_in_the_cloud(environment)
        settings = cls(
            project=_required(environment, "GOOGLE_CLOUD_PROJECT"),
            allowed_origins=_origins(environment, "ALLOWED_ORIGINS"),
            images_bucket=_optional(environment, "IMAGES_BUCKET", cls.images_bucket),
            videos_bucket=_optional(environment, "VIDEOS_BUCKET", cls.videos_bucket),
            outputs_bucket=_optional(environment, "OUTPUTS_BUCKET", cls.outputs_bucket),
            job_deleted_topic=_optional(environment, "JOB_DELETED_TOPIC", cls.job_deleted_topic),
            job_restored_topic=_optional(environment, "JOB_RESTORED_TOPIC", cls.job_restored_topic),
            jobs_erased_topic=_optional(environment, "JOBS_ERASED_TOPIC", cls.jobs_erased_topic),
            object_finalized_topic=_optional(environment, "OBJECT_FINALIZED_TOPIC", cls.object_finalized_topic),
            video_viewed_topic=_optional(environment, "VIDEO_VIEWED_TOPIC", cls.video_viewed_topic),
            share_origin=_optional(environment, "SHARE_ORIGIN", cls.share_origin).rstrip("/"),
            signing_key=_signing_key(environment),
            keyless=_choice(environment, "SIGNING", "key", ("key", "keyless")) == "keyless",
            storage_emulator=environment.get("STORAGE_EMULATOR_HOST") or None,
            is_deployed=_is_deployed(environment),
            revision=environment.get("K_REVISION", ""),
            release=environment.get("RELEASE", ""),
            sweep_after=_seconds(environment, "SWEEP_AFTER", cls.sweep_after),
            longest_run=_seconds(environment, "LONGEST_RUN", cls.longest_run),
            short_id_length=_one_of(environment, "SHORT_ID_LENGTH", cls.short_id_length, (8, 12, 16)),
            forwarded_hops=_one_of(environment, "FORWARDED_HOPS", cls.forwarded_hops, (1, 2)),
            patience=_number(environment, "PATIENCE", cls.patience, 100),
            requests_per_minute=_number(
                environment, "REQUESTS_PER_MINUTE", cls.requests_per_minute, MOST_REQUESTS_PER_MINUTE
            ),
        )
        if len(set(settings.buckets)) != len(settings.buckets):
            raise SettingsError("IMAGES_BUCKET, VIDEOS_BUCKET and OUTPUTS_BUCKET must be three buckets")
        return settings

    def check_signing(self) -> None:
        """Raise SettingsError if URLs cannot be signed with these settings."""
        if self.signing_key is None and not self.keyless:
            raise SettingsError("SIGNING_KEY is not set, and SIGNING is not keyless")


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _optional(environment: Mapping[str, str], name: str, default: str) -> str:
    if name not in environment:
        return default
    return _required(environment, name)


def _number(environment: Mapping[str, str], name: str, default: int, largest: int) -> int:
    text = _optional(environment, name, str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= largest:
        raise SettingsError(f"{name} is {text!r}, which is no whole number from 1 to {largest}")
    return int(text)


def _seconds(environment: Mapping[str, str], name: str, default: timedelta) -> timedelta:
    return timedelta(seconds=_number(environment, name, round(default.total_seconds()), 86_400))


def _one_of(environment: Mapping[str, str], name: str, default: int, choices: tuple[int, ...]) -> int:
    return int(_choice(environment, name, str(default), tuple(map(str, choices))))


def _choice(environment: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    text = _optional(environment, name, default)
    if text not in choices:
        raise SettingsError(f"{name} is {text!r}, which is none of {', '.join(choices)}")
    return text


def _signing_key(environment: Mapping[str, str]) -> SigningKey | None:
    text = environment.get("SIGNING_KEY", "").strip()
    if not text:
        return None
    access_id, colon, secret = text.partition(":")
    if not (colon and access_id.isalnum() and secret and text.isascii() and text.isprintable()):
        raise SettingsError("SIGNING_KEY is not of the form ACCESS_ID:SECRET")  # and what it is stays secret
    return SigningKey(access_id, secret)


def _origins(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    origins = tuple(part.strip().rstrip("/") for part in _required(environment, name).split(","))
    for origin in origins:
        if not re.fullmatch(ORIGIN, origin):
            raise SettingsError(f"{name} has {origin!r}, which is no origin {ORIGIN_FORM} https://nuumee.ai")
    return origins


def _is_deployed(environment: Mapping[str, str]) -> bool:
    """https://cloud.google.com/run/docs/container-contract#services-env-vars"""
    return "K_SERVICE" in environment


def _refuse_emulators_in_the_cloud(environment: Mapping[str, str]) -> None:
    """Refuse to start a deployed function with an emulator's variable set.

    With the Auth emulator's variable, firebase-admin accepts unsigned tokens.
    """
    if not _is_deployed(environment):
        return
    for name in EMULATOR_VARIABLES:
        if environment.get(name):
            raise SettingsError(f"{name} is set on a deployed function: emulators are for local use alone")
