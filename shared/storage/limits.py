"""How long functions wait for Cloud Storage, and what they retry: the same errors as the library itself.

The library's predicate also covers errors of media transfers. Kept apart from `outages`, which every function
imports, because the Cloud Storage library adds 0.25 s to a cold start.
https://cloud.google.com/storage/docs/retry-strategy#client-libraries
"""

from __future__ import annotations

from typing import Any

from google.cloud.storage.retry import DEFAULT_RETRY

from shared.outages import PATIENCE, PICTURES_WITHIN


def _limits(connect: float, between_bytes: float, with_retries: float) -> dict[str, Any]:
    retry = DEFAULT_RETRY.with_delay(initial=0.2, maximum=2.0).with_timeout(with_retries * PATIENCE)
    return {"timeout": (connect * PATIENCE, between_bytes * PATIENCE), "retry": retry}


READING = _limits(1.5, 2.5, with_retries=2.5)
"""Options that limit one call while a caller waits."""
GLANCE: dict[str, Any] = {"timeout": (PICTURES_WITHIN, PICTURES_WITHIN), "retry": None}
"""The same for calls that are not retried."""
REMOVING = _limits(5, 20, with_retries=30)
"""The same for background functions. Deleting a generation by number is safe to repeat."""
