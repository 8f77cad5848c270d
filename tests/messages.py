"""Pub/Sub messages as a background function receives them."""

from __future__ import annotations

import base64
import json
from typing import Any

from shared.messaging.events import JobDeleted, JobRestored
from tests.fakes import SETTINGS


def message(event: JobDeleted | JobRestored, **changes: Any) -> dict[str, Any]:
    data, attributes = event.encode()
    return envelope(data, attributes, **changes)


def envelope(data: bytes, about: dict[str, str], **changes: Any) -> dict[str, Any]:
    sent = {"data": base64.b64encode(data).decode(), "attributes": about, "messageId": "7"}
    return {"message": {**sent, **changes}}


def notification(
    name: str,
    *,
    bucket: str = SETTINGS.outputs_bucket,
    generation: int = 1,
    size: int = 1,
    content_type: str = "video/mp4",
    changes: dict[str, str] | None = None,
) -> tuple[bytes, dict[str, str]]:
    """The data and attributes that Cloud Storage publishes about a new object."""
    resource = {"name": name, "bucket": bucket, "size": str(size), "contentType": content_type}
    about = {"bucketId": bucket, "objectId": name, "objectGeneration": str(generation)}
    return json.dumps(resource).encode(), {"eventType": "OBJECT_FINALIZE", **about, **(changes or {})}
