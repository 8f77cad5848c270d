"""How long a function waits for Cloud Storage, and what it tries again: what the library itself would.

Its predicate knows what media transfers raise too. Apart from `outages`, which every function imports: the library
of Cloud Storage costs a cold start 0.25 s.
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
"""The options that bound one call with a caller waiting."""
GLANCE: dict[str, Any] = {"timeout": (PICTURES_WITHIN, PICTURES_WITHIN), "retry": None}
"""The same, for what is not tried again."""
REMOVING = _limits(5, 20, with_retries=30)
"""The same, for a background function. To delete a generation by its number again changes nothing."""
