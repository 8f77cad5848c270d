"""How long the buckets keep what was removed from them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.outages import outages
from shared.storage.limits import reading


class Retention:
    """Reads each bucket's soft-delete policy once. Raises Unavailable when Storage is away."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._known: dict[str, timedelta | None] = {}

    def of(self, bucket: str) -> timedelta | None:
        """How long a removed object can be restored; None if the bucket keeps none.

        https://cloud.google.com/storage/docs/soft-delete
        """
        if bucket not in self._known:
            with outages("Cloud Storage"):
                policy = self._client.get_bucket(bucket, **reading()).soft_delete_policy
            seconds = int(policy.retention_duration_seconds or 0)
            self._known[bucket] = timedelta(seconds=seconds) if seconds else None
        return self._known[bucket]
