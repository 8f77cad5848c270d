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
    """The policies of the buckets, read once in the life of a process."""

    def __init__(self, client: Any, buckets: Sequence[str]) -> None:
        self._client = client
        self._buckets = buckets
        self._found: dict[str, Retention] | None = None

    def by_bucket(self) -> dict[str, Retention]:
        """Raises Unavailable when Storage is away. Costs a call for each bucket, the first time."""
        if self._found is None:
            with outages("Cloud Storage"), ThreadPoolExecutor(len(self._buckets)) as threads:
                self._found = dict(zip(self._buckets, threads.map(self._read, self._buckets), strict=True))
        return self._found

    def of_all(self) -> Retention:
        """What holds in each of the buckets. Raises Unavailable as `by_bucket` does."""
        found = self.by_bucket().values()
        return Retention(min(one.kept_for for one in found), max(one.effective_at for one in found))

    def kept_until(self, removed_at: datetime) -> datetime | None:
        """Until when all of what was removed then can be restored; None if one of the buckets did not keep it."""
        return self.of_all().kept_until(removed_at)

    def _read(self, bucket: str) -> Retention:
        policy = self._client.get_bucket(bucket, **reading()).soft_delete_policy
        seconds = policy.retention_duration_seconds or 0
        return Retention(timedelta(seconds=seconds), policy.effective_time or _EVER)
