"""Firestore document -> Job: the one door through which a dict becomes a Job.

A damaged value must not cost the user the job, let alone the page: it is shown as absent, and logged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared import log
from shared.job import Job

_TEXTS = (
    "short_id",
    "job_type",
    "status",
    "reference_image_path",
    "motion_video_path",
    "source_job_id",
    "input_video_path",
    "extension_prompt",
    "resolution",
    "wavespeed_request_id",
    "output_video_path",
    "error_message",
)
_TIMES = ("created_at", "updated_at", "completed_at")
_INTEGERS = ("seed", "view_count")


def job_from(job_id: str, document: Mapping[str, Any]) -> Job:
    """The job in `document`, as far as it can be read."""
    values: dict[str, Any] = {}
    damaged: list[str] = []

    def read(name: str, sound: bool) -> None:
        value = document.get(name)
        if value is None:
            return
        if sound:
            values[name] = value
        else:
            damaged.append(name)

    for name in _TEXTS:
        read(name, isinstance(document.get(name), str))
    for name in _TIMES:
        read(name, isinstance(document.get(name), datetime))
    for name in _INTEGERS:
        read(name, _is_integer(document.get(name)))
    credits_charged = document.get("credits_charged")
    read("credits_charged", _is_integer(credits_charged) or _is_finite(credits_charged))

    missing = [name for name in ("status", "created_at") if name not in values and name not in damaged]
    if damaged or missing:
        log.warning("job_document_damaged", job_id=job_id, damaged=damaged, missing=missing)
    return Job(id=job_id, user_id=document["user_id"], **values)


def is_deleted(document: Mapping[str, Any]) -> bool:
    """Live jobs have no `deleted_at`, or null."""
    return document.get("deleted_at") is not None


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)
