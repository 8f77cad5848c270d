"""What a deletion is, and what a purge found and removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_BETWEEN_SWEEPS = timedelta(hours=6)
SWEEPS_UNTIL_ALERT = 8
"""With five minutes before the first sweep, the eighth comes some seventeen hours after the delete."""


class PurgeState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    CLOSED = "closed"
    """There is nothing to purge: the owner's id can own no media, or no deletion stands behind the purge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A job that is soft-deleted, with what its document says of the owner and of the purge."""

    job_id: str
    user_id: str
    deleted_at: datetime
    purge: PurgeState
    sweeps: int = 0
    """How often a sweep has asked for the purge again."""
    sweep_at: datetime | None = None
    """When the next sweep is to do so; None where nobody has said."""

    def is_due(self, now: datetime) -> bool:
        """Whether the purge has to be asked for again."""
        return self.purge is PurgeState.PENDING and (self.sweep_at is None or self.sweep_at <= now)


def until_next_sweep(sweeps: int, first: timedelta) -> timedelta:
    """How long to wait after so many sweeps: `first`, then twice as long each time, up to six hours."""
    # No job is swept so often that the power matters, but a document may say anything.
    factor: int = 2 ** min(max(sweeps, 0), 16)
    return min(first * factor, LONGEST_BETWEEN_SWEEPS)
