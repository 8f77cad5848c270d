"""What an owner may wish of a share link: when it ends, and whether it shows the job's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.errors import BadRequest
from shared.jobs.parameters import time_of


def requested_end(body: object, now: datetime) -> datetime | None:
    """The time in a request's body, `{"expires_at": "2026-12-03T12:00:00Z"}`, in UTC; None for a link that stays.

    Raises BadRequest, which says what is wrong. Some clients send null or an empty object with any POST: they
    wish nothing.
    """
    if body is None:
        return None
    if not isinstance(body, Mapping) or body.keys() - {"expires_at"}:
        raise BadRequest("The body must hold expires_at and nothing else: a time, or null for a link that stays.")
    return _end(body.get("expires_at"), now)


def requested_wishes(body: object, now: datetime) -> dict[str, Any]:
    """The job's fields that a request's body asks for: `expires_at`, `share_name` or both. Raises BadRequest."""
    if not isinstance(body, Mapping) or not body or not body.keys() <= {"expires_at", "share_name"}:
        raise BadRequest("The body must hold expires_at, share_name or both, and nothing else.")
    wishes: dict[str, Any] = {}
    if "expires_at" in body:
        wishes["share_expires_at"] = _end(body["expires_at"], now)
    if "share_name" in body:
        if not isinstance(body["share_name"], bool):
            raise BadRequest("share_name must be true or false.")
        wishes["share_name"] = body["share_name"]
    return wishes


def _end(text: object, now: datetime) -> datetime | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise BadRequest("expires_at must be a time or null.")
    end, _ = time_of(text, "expires_at")
    if end <= now:
        raise BadRequest("expires_at must be in the future.")
    return end
