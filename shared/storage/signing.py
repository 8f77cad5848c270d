"""V4 signed URLs: https://cloud.google.com/storage/docs/access-control/signed-urls"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Semaphore
from typing import Any, NamedTuple
from urllib.parse import quote

from google.api_core.retry import Retry

# The public Blob.generate_signed_url always signs for the current second. A URL that stays the same for a while
# needs a given time. tests/unit/storage/test_signing.py checks that both give the same result.
from google.cloud.storage._signing import generate_signed_url_v4

from shared.outages import ALL_OBJECTS_WITHIN, SIGNING_TIMEOUT, is_away, outages
from shared.storage.side_by_side import outcome, required, share, side_by_side

_MOST_KEPT = 4096
_TRIED_AGAIN = Retry(is_away, initial=0.1, maximum=1.0, timeout=SIGNING_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Validity:
    """A window in which signing gives the same URL each time, and how much of the URL's life is left."""

    begins: datetime
    expires_at: datetime
    expires_in: int
    """Seconds."""


class Target(NamedTuple):
    """An object to fetch, and the file name under which a browser should save it, if any."""

    bucket: str
    path: str
    filename: str | None = None


class UrlSigner:
    """Signs GET URLs and caches them, so that polling does not pay for the same signature again."""

    def __init__(
        self, credentials: Any, endpoint: str, *, lifetime: int, window: int, pool: Executor | None
    ) -> None:
        """`credentials` are `google.auth.credentials.Signing`. Give a `pool` if signing is a network call."""
        self._credentials = credentials
        self._endpoint = endpoint
        self._lifetime = lifetime
        self._window = window
        self._pool = pool
        self._kept = functools.lru_cache(_MOST_KEPT)(_TRIED_AGAIN(self._sign))

    def validity(self, now: datetime) -> Validity:
        begins = datetime.fromtimestamp(now.timestamp() // self._window * self._window, UTC)
        expires_at = begins + timedelta(seconds=self._lifetime)
        return Validity(begins, expires_at, int((expires_at - now).total_seconds()))

    def sign(self, targets: Sequence[Target], validity: Validity) -> list[str]:
        """The URLs, in the order of `targets`. Raises Unavailable if signing needs IAM and IAM is away."""
        with outages("Cloud Storage"):
            return [
                required(signed) for signed in self.try_to_sign(targets, validity, ALL_OBJECTS_WITHIN, share())
            ]

    def try_to_sign(
        self, targets: Sequence[Target], validity: Validity, seconds: float, free: Semaphore
    ) -> list[str | Exception]:
        """The same within so many seconds, with an exception in place of each URL that cannot be made."""
        sign = functools.partial(self._kept, begins=validity.begins)
        if self._pool is None or len(targets) < 2:
            return [outcome(sign, target) for target in targets]
        return side_by_side(self._pool, sign, targets, seconds, free)

    def _sign(self, target: Target, begins: datetime) -> str:
        url: str = generate_signed_url_v4(
            self._credentials,
            resource=f"/{target.bucket}/{quote(target.path, safe='/~')}",
            expiration=self._lifetime,
            api_access_endpoint=self._endpoint,
            response_disposition=f'attachment; filename="{target.filename}"' if target.filename else None,
            _request_timestamp=begins.strftime("%Y%m%dT%H%M%SZ"),
        )
        return url
