"""How long a request waits for each of Google's services, and what counts as one being away.

An HTTP function answers within 10 s whatever happens. With one service away, its own limit below decides; what
adds up to more, such as several slow ones, meets ANSWER_WITHIN.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import google.auth.exceptions
import requests.exceptions
from google.api_core import exceptions as google_errors
from google.api_core.retry import Retry, if_exception_type

from shared.errors import Unavailable

ANSWER_WITHIN = 9.0
"""Seconds after which an HTTP function answers that it cannot."""
AUTH_TIMEOUT = 1.5
"""Seconds for one call to Firebase Auth, which its library makes twice before it gives up."""
FIRESTORE_TIMEOUT = 3.0
"""Seconds for one call with all its retries."""
STORAGE_TIMEOUT = (1.5, 2.5)
"""Seconds to connect, and between two bytes."""
STORAGE_RETRY_TIMEOUT = 2.5
SIGNING_TIMEOUT = 2.5
PUBLISH_TIMEOUT = 2.5

_TRANSIENT = (
    google_errors.ServiceUnavailable,
    google_errors.InternalServerError,
    google_errors.TooManyRequests,
    google_errors.BadGateway,
    google_errors.GatewayTimeout,
)
_AWAY = (
    *_TRANSIENT,
    google_errors.RetryError,
    google.auth.exceptions.TransportError,
    google.auth.exceptions.RefreshError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    TimeoutError,
)

FIRESTORE_RETRY = Retry(
    predicate=if_exception_type(*_TRANSIENT), initial=0.1, maximum=0.5, timeout=FIRESTORE_TIMEOUT
)


@contextmanager
def outages(service: str) -> Iterator[None]:
    """Raise Unavailable, which names `service`, in place of what a library raises when it is away."""
    try:
        yield
    except _AWAY as error:
        raise Unavailable(service) from error
