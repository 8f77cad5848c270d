"""What a deletion is, and what a purge found and removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PurgeState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    """The owner's id can own no media: there is nothing that could be purged, and nothing to try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A job that is soft-deleted, with what its document says of the owner and of the purge."""

    job_id: str
    user_id: str
    deleted_at: datetime
    purge: PurgeState


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPurge:
    """One attempt in one bucket. Without an `error`, a last listing of all generations came back empty."""

    bucket: str
    objects: int
    """Generations of objects removed."""
    size: int
    """Their bytes."""
    error: str | None = None
