"""What a deletion is, and what a purge found and removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_BETWEEN_SWEEPS = timedelta(hours=6)
SWEEPS_UNTIL_ALERT = 8
"""If the first sweep comes after five minutes, the eighth comes about seventeen hours after the delete."""


class PurgeState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    CLOSED = "closed"
    """There is nothing to purge: the owner's id cannot own media, or the purge belongs to no deletion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A soft-deleted job, with what its document says about the owner and the purge."""

    job_id: str
    user_id: str
    deleted_at: datetime
    purge: PurgeState
    sweeps: int = 0
    """How many times a sweep has requested the purge again."""
    sweep_at: datetime | None = None
    """When the next sweep is due; None if the document does not say."""

    def is_due(self, now: datetime) -> bool:
        """Whether the purge must be requested again."""
        return self.purge is PurgeState.PENDING and (self.sweep_at is None or self.sweep_at <= now)


def until_next_sweep(sweeps: int, first: timedelta) -> timedelta:
    """The delay after so many sweeps: `first`, doubled each time, up to six hours."""
    # Real counts stay small, but a document can hold any number.
    factor: int = 2 ** min(max(sweeps, 0), 16)
    return min(first * factor, LONGEST_BETWEEN_SWEEPS)
