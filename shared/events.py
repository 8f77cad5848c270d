"""The event that a delete publishes: `job-deleted`, version 1."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.errors import UnprocessableEvent
from shared.job import can_own_media, is_job_id, rfc3339

TYPE = "job.deleted"
VERSION = 1


@dataclass(frozen=True, slots=True)
class JobDeleted:
    """`user_id` only says who is believed to own the job: what is removed follows from the document alone."""

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
        return json.dumps(body).encode(), {"type": TYPE, "job_id": self.job_id}

    @classmethod
    def decode(cls, data: bytes, attributes: Mapping[str, str]) -> JobDeleted:
        """Raise UnprocessableEvent, which names what is wrong, for a message that can never succeed."""
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            raise UnprocessableEvent("data is not JSON") from None
        if not isinstance(body, dict):
            raise UnprocessableEvent("data is no JSON object")
        if type(body.get("version")) is not int or body["version"] != VERSION:
            raise UnprocessableEvent(f"version is not {VERSION}")
        if not is_job_id(body.get("job_id")):
            raise UnprocessableEvent("job_id could be no job's")
        if not can_own_media(body.get("user_id")):
            raise UnprocessableEvent("user_id could own no media")
        if attributes.get("type", TYPE) != TYPE:
            raise UnprocessableEvent(f"type is not {TYPE}")
        if attributes.get("job_id", body["job_id"]) != body["job_id"]:
            raise UnprocessableEvent("job_id differs between data and attributes")
        return cls(body["job_id"], body["user_id"], _time(body.get("deleted_at")))


def _time(text: object) -> datetime:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise UnprocessableEvent("deleted_at is no time in RFC 3339")
    return time


class Publisher:
    """Publishes to one topic and waits: after the answer a function has no CPU to publish with."""

    def __init__(self, client: Any, topic: str, timeout: float) -> None:
        self._client = client
        self._topic = topic
        self._timeout = timeout

    def publish(self, event: JobDeleted) -> None:
        """Raise whatever the library does if the message was not accepted within `timeout` seconds."""
        data, attributes = event.encode()
        future = self._client.publish(self._topic, data, timeout=self._timeout, **attributes)
        future.result(timeout=self._timeout)
