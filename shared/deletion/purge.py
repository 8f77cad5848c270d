"""What a deletion is, and in which state it can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_BETWEEN_SWEEPS = timedelta(hours=6)
SWEEPS_UNTIL_ALERT = 8
"""If the first sweep comes after five minutes, the eighth comes about seventeen hours after the delete."""


class DeletionState(StrEnum):
    PENDING = "pending"
    """Files may be left."""
    DONE = "done"
    """It is proved that none is left."""
    RESTORING = "restoring"
    """The owner took the deletion back, and files are on their way back."""
    RESTORED = "restored"
    """The job is live again."""


DELETED = (DeletionState.PENDING, DeletionState.DONE)
"""In these states the job's files may be removed: the deletion has not been taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """The deletion of a job, as the ledger and the job's document together tell it."""

    job_id: str
    user_id: str
    deleted_at: datetime
    state: DeletionState
    sweeps: int = 0
    """How many times a sweep has requested the purge again, or has looked at the job's mark."""
    sweep_at: datetime | None = None
    """When the next sweep is due; None if there is nothing to wait for, or if no ledger entry exists yet."""
    named: tuple[str, ...] = ()
    """Objects outside the job's prefix, but under the owner's folder, that its path fields name: `images/`,
    `videos/` or `outputs/`, followed by the object's name."""
    left: tuple[str, ...] = ()
    """Those of them that the last run found and that no live job needs."""

    restores: int = 0
    """How many restores of the job were requested up to now. Tells one restore from the next."""

    first_removal: datetime | None = None
    """When the first run began that removed files, or that may have; None if none did. By the function's clock."""
    removed: Mapping[str, int] = field(default_factory=dict)
    """How many generations of objects were removed from each bucket, at the least, late uploads among them."""
    is_counted: bool = True
    """Whether it is certain that no more were removed: no run was killed, no answer was lost, no two runs met,
    and no other code marked the job."""
    has_failed: bool = False
    """Whether the last run could not prove that each bucket is empty."""
    is_proved_empty: bool = False
    """Whether a run has proved that each bucket is empty, and nothing came back since."""

    @property
    def removed_since(self) -> datetime:
        """No file that this deletion removed was removed earlier. Clocks may differ."""
        return min(self.deleted_at, self.first_removal or self.deleted_at)

    @property
    def is_deleted(self) -> bool:
        return self.state in DELETED


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Objects that a deleted job names outside its prefix, that no live job needs, and that are still there."""

    left: tuple[str, ...] = ()
    """`images/`, `videos/` or `outputs/`, followed by the object's name. They are somebody's to look at."""
    going: tuple[str, ...] = ()
    """The same for objects that another purge is going to remove."""


NOTHING = Leftovers()


def until_next_sweep(sweeps: int, first: timedelta) -> timedelta:
    """The delay after so many sweeps: `first`, doubled each time, up to six hours."""
    # Real counts stay small, but a document can hold any number.
    factor: int = 2 ** min(max(sweeps, 0), 16)
    return min(first * factor, LONGEST_BETWEEN_SWEEPS)
