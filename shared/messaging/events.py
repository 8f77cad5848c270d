"""The events that background functions consume, decoded from Pub/Sub messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from shared.errors import UnprocessableEvent
from shared.jobs.job import JobPrefix, Medium, can_own_media, is_job_id, rfc3339
from shared.settings import Bucket

VERSION = 1


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a user wants of a job's files, version 1. `user_id` is only the presumed owner, and the wish may have
    been changed since: the ledger and the job's document alone decide what happens.
    """

    type: ClassVar[str]
    job_id: str
    user_id: str
    deleted_at: datetime

    def encode(self) -> tuple[bytes, dict[str, str]]:
        """The message's data and attributes."""
        body = {
            "version": VERSION,
            "job_id": self.job_id,
            "user_id": self.user_id,
            "deleted_at": rfc3339(self.deleted_at),
        }
        return json.dumps(body).encode(), {"type": self.type, "job_id": self.job_id}

    @classmethod
    def decode(cls, data: bytes, attributes: Mapping[str, str]) -> Self:
        """Decode a message. Raises UnprocessableEvent, naming the fault, if it can never succeed."""
        body = _versioned(data)
        job_id = _job_id(body)
        if not can_own_media(body.get("user_id")):
            raise UnprocessableEvent("user_id could own no media")
        if attributes.get("type", cls.type) != cls.type:
            raise UnprocessableEvent(f"type is not {cls.type}")
        if attributes.get("job_id", job_id) != job_id:
            raise UnprocessableEvent("job_id differs between data and attributes")
        return cls(job_id, body["user_id"], _time(body.get("deleted_at")))


class JobDeleted(_Wish):
    """A user's delete was accepted: `job-deleted`."""

    __slots__ = ()
    type = "job.deleted"


class JobRestored(_Wish):
    """A user's restore was accepted: `job-restored`. `deleted_at` is of the deletion that it takes back."""

    __slots__ = ()
    type = "job.restored"


@dataclass(frozen=True, slots=True)
class JobsErased:
    """A user's wish to delete all jobs was accepted: `jobs-erased`, version 1. The erasure's record says whose."""

    type: ClassVar[str] = "jobs.erased"
    job_id: ClassVar[None] = None
    erasure_id: str
    user_id: str

    def encode(self) -> tuple[bytes, dict[str, str]]:
        """The message's data and attributes."""
        body = {"version": VERSION, "erasure_id": self.erasure_id, "user_id": self.user_id}
        return json.dumps(body).encode(), {"type": self.type}

    @classmethod
    def decode(cls, data: bytes, attributes: Mapping[str, str]) -> Self:
        """Decode a message. Raises UnprocessableEvent, naming the fault, if it can never succeed."""
        body = _versioned(data)
        erasure_id, user_id = body.get("erasure_id"), body.get("user_id")
        if not isinstance(erasure_id, str) or not re.fullmatch("[0-9a-f]{32}", erasure_id):
            raise UnprocessableEvent("erasure_id could be no erasure's")
        if not isinstance(user_id, str):
            raise UnprocessableEvent("user_id is no text")
        if attributes.get("type", cls.type) != cls.type:
            raise UnprocessableEvent(f"type is not {cls.type}")
        return cls(erasure_id, user_id)


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise UnprocessableEvent("data is not JSON") from None
    if not isinstance(body, dict):
        raise UnprocessableEvent("data is no JSON object")
    return body


def _versioned(data: bytes) -> dict[str, Any]:
    """The body of one of our own events."""
    body = _object(data)
    if type(body.get("version")) is not int or body["version"] != VERSION:
        raise UnprocessableEvent(f"version is not {VERSION}")
    return body


def _job_id(body: Mapping[str, Any]) -> str:
    job_id = body.get("job_id")
    if not isinstance(job_id, str) or not is_job_id(job_id):
        raise UnprocessableEvent("job_id could be no job's")
    return job_id


def _time(text: object) -> datetime:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise UnprocessableEvent("deleted_at is no time in RFC 3339")
    return time


@dataclass(frozen=True, slots=True)
class ObjectFinalized:
    """A new object or generation is complete in one of the buckets.

    Cloud Storage's own notification: https://cloud.google.com/storage/docs/pubsub-notifications#format
    """

    bucket: str
    name: str
    generation: int
    size: int
    """Bytes."""
    content_type: str

    @property
    def prefix(self) -> JobPrefix | None:
        """Prefix of the job that the object's name belongs to; None if no job's object can have that name."""
        return JobPrefix.of_object(self.name)

    @property
    def job_id(self) -> str | None:
        return self.prefix.job_id if self.prefix else None

    def medium(self, buckets: Mapping[Bucket, str]) -> Medium | None:
        """Which of its job's media the object is, judged by bucket and name; None if it is none of them."""
        if self.prefix is None:
            return None
        name = self.name.removeprefix(str(self.prefix))
        upload = name.lower()  # cameras write IMG_1.JPG, and clients keep the ending or more of it
        for medium in Medium:
            begins = medium.default_name
            if begins is None or self.bucket != buckets[medium.bucket(begins)]:
                continue
            if name == begins or (begins.endswith(".") and upload.startswith(begins) and "/" not in name):
                return medium
        return None

    def encode(self) -> tuple[bytes, dict[str, str]]:
        """The message's data and attributes, limited to those that this code reads."""
        body = {"size": str(self.size), "contentType": self.content_type}
        attributes = {
            "eventType": "OBJECT_FINALIZE",
            "payloadFormat": "JSON_API_V1",
            "bucketId": self.bucket,
            "objectId": self.name,
            "objectGeneration": str(self.generation),
        }
        return json.dumps(body).encode(), attributes

    @classmethod
    def decode(cls, data: bytes, attributes: Mapping[str, str]) -> Self:
        """Decode a notification. Raises UnprocessableEvent, naming the fault, if it is not one."""
        if attributes.get("eventType") != "OBJECT_FINALIZE":
            raise UnprocessableEvent("eventType is not OBJECT_FINALIZE")
        bucket, name = attributes.get("bucketId"), attributes.get("objectId")
        if not isinstance(bucket, str) or not bucket or not isinstance(name, str) or not name:
            raise UnprocessableEvent("bucketId or objectId is missing")
        body = _object(data)
        generation = _number(attributes.get("objectGeneration"), "objectGeneration")
        size = _number(body.get("size"), "size")
        content_type = body.get("contentType")
        return cls(bucket, name, generation, size, content_type if isinstance(content_type, str) else "")


@dataclass(frozen=True, slots=True)
class VideoViewed:
    """Somebody looked at a shared video: `video-viewed`, version 1."""

    job_id: str
    unsettled: str | None = None
    """The short id that it was opened with, if that link has yet to be created."""

    def encode(self) -> tuple[bytes, dict[str, str]]:
        """The message's data and attributes."""
        body = {"version": VERSION, "job_id": self.job_id, "unsettled": self.unsettled}
        return json.dumps(body).encode(), {"type": "video.viewed"}

    @classmethod
    def decode(cls, data: bytes, attributes: Mapping[str, str]) -> Self:
        """Decode a message. Raises UnprocessableEvent, naming the fault, if it can never succeed."""
        body = _versioned(data)
        unsettled = body.get("unsettled")
        if unsettled is not None and not isinstance(unsettled, str):
            raise UnprocessableEvent("unsettled is no text")
        return cls(_job_id(body), unsettled)


@dataclass(frozen=True, slots=True)
class MinutePassed:
    """Cloud Scheduler sends one every minute: `every-minute`. The message's content is ignored."""

    job_id = None

    @classmethod
    def decode(cls, data: bytes, attributes: Mapping[str, str]) -> Self:
        return cls()


def _number(text: object, name: str) -> int:
    """Storage writes 64-bit numbers as text."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,19}", text):
        raise UnprocessableEvent(f"{name} is no number")
    return int(text)
