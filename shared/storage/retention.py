"""How long the buckets keep what is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.outages import outages
from shared.storage.limits import reading

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Retention:
    """A bucket's soft-delete policy: https://cloud.google.com/storage/docs/soft-delete"""

    kept_for: timedelta
    """Zero if the bucket keeps nothing."""
    effective_at: datetime
    """What was deleted earlier may have been kept for less."""

    def kept_until(self, removed_at: datetime) -> datetime | None:
        """Until when what was removed then can be restored; None if it was not kept at all, as far as is known."""
        return removed_at + self.kept_for if self.kept_for and removed_at >= self.effective_at else None

    def earliest(self, now: datetime) -> datetime | None:
        """What was removed later than that can be restored now; None if nothing is kept."""
        return max(now - self.kept_for, self.effective_at) if self.kept_for else None


class Retentions:
    """The policies of the buckets, each read once in the life of a process.

    Every method raises Unavailable when Storage is away.
    """

    def __init__(self, client: Any, buckets: Sequence[str]) -> None:
        self._client = client
        self._buckets = buckets
        self._known: dict[str, Retention] = {}

    def of(self, bucket: str) -> Retention:
        """Costs a call, the first time."""
        if bucket not in self._known:
            with outages("Cloud Storage"):
                policy = self._client.get_bucket(bucket, **reading()).soft_delete_policy
            kept_for = timedelta(seconds=policy.retention_duration_seconds or 0)
            self._known[bucket] = Retention(kept_for, policy.effective_time or _EVER)
        return self._known[bucket]

    def of_all(self) -> Retention:
        """What holds in each of the buckets. Asks them side by side."""
        with ThreadPoolExecutor(len(self._buckets)) as threads:
            found = list(threads.map(self.of, self._buckets))
        return Retention(min(one.kept_for for one in found), max(one.effective_at for one in found))

    def kept_until(self, removed_at: datetime) -> datetime | None:
        """Until when all of what was removed then can be restored; None if one of the buckets did not keep it."""
        return self.of_all().kept_until(removed_at)
