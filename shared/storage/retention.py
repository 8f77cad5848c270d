"""How long the buckets keep what is deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.outages import outages
from shared.storage.limits import reading

KNOWN_FOR = 300.0
"""Seconds after which a policy is read again: somebody may have changed it."""
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Retention:
    """A bucket's soft-delete policy: https://cloud.google.com/storage/docs/soft-delete"""

    kept_for: timedelta
    """Zero if the bucket keeps nothing."""
    effective_at: datetime
    """What was deleted earlier may have been kept for less: a change is not true of what was deleted before it.

    https://cloud.google.com/storage/docs/use-soft-delete
    """

    def kept_until(self, removed_at: datetime) -> datetime | None:
        """Until when what was removed then can be restored; None if it was not kept at all, as far as is known."""
        return removed_at + self.kept_for if self.kept_for and removed_at >= self.effective_at else None

    def less(self, time: timedelta) -> Retention:
        """The same, but all is kept for so much less."""
        return replace(self, kept_for=max(self.kept_for - time, timedelta()))

    def earliest(self, now: datetime) -> datetime | None:
        """What was removed later than that can be restored now; None if nothing is kept."""
        return max(now - self.kept_for, self.effective_at) if self.kept_for else None


class Retentions:
    """The policies of the buckets, each read at most once in `KNOWN_FOR` by a process.

    Every method raises Unavailable when Storage is away.
    """

    def __init__(self, client: Any, buckets: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._buckets = buckets
        self._clock = clock
        self._known: dict[str, tuple[Retention, float]] = {}
        """Each with the time until which it is believed."""

    def of(self, bucket: str) -> Retention:
        """Costs a call, unless the policy was read a short time ago."""
        known, until = self._known.get(bucket, (None, 0.0))
        if known is None or self._clock() >= until:
            with outages("Cloud Storage"):
                policy = self._client.get_bucket(bucket, **reading()).soft_delete_policy
            kept_for = timedelta(seconds=policy.retention_duration_seconds or 0)
            known = Retention(kept_for, policy.effective_time or _EVER)
            self._known[bucket] = (known, self._clock() + KNOWN_FOR)
        return known

    def of_all(self) -> Retention:
        """What holds in each of the buckets. Asks them side by side."""
        with ThreadPoolExecutor(len(self._buckets)) as threads:
            found = list(threads.map(self.of, self._buckets))
        return Retention(min(one.kept_for for one in found), max(one.effective_at for one in found))

    def kept_until(self, removed_at: datetime) -> datetime | None:
        """Until when all of what was removed then can be restored; None if one of the buckets did not keep it."""
        return self.of_all().kept_until(removed_at)
