"""How long functions wait for Cloud Storage, and what they retry: the same errors as the library itself.

The library's predicate also covers errors of media transfers. Kept apart from `outages`, which every function
imports, because the Cloud Storage library adds 0.25 s to a cold start.
https://cloud.google.com/storage/docs/retry-strategy#client-libraries
"""

from __future__ import annotations

from typing import Any

from google.cloud.storage.retry import DEFAULT_RETRY

from shared.outages import PICTURES_WITHIN, patient


def reading() -> dict[str, Any]:
    """Options that limit one call while a caller waits."""
    return _limits(1.5, 2.5, with_retries=2.5)


def glance() -> dict[str, Any]:
    """The same for calls that are not retried."""
    seconds = patient(PICTURES_WITHIN)
    return {"timeout": (seconds, seconds), "retry": None}


def removing() -> dict[str, Any]:
    """The same for background functions. Deleting a generation by number is safe to repeat."""
    return _limits(5, 20, with_retries=30)


def _limits(connect: float, between_bytes: float, with_retries: float) -> dict[str, Any]:
    retry = DEFAULT_RETRY.with_delay(initial=0.2, maximum=2.0).with_timeout(patient(with_retries))
    return {"timeout": (patient(connect), patient(between_bytes)), "retry": retry}
