"""How long a function waits for each of Google's services, what is tried again, and what counts as being away.

An HTTP function answers within 10 s whatever happens. With one service away, its own limit below decides; what
adds up to more, such as several slow ones, meets ANSWER_WITHIN. A background function has nobody waiting: it may
take its time over a slow bucket before it asks for the event to be delivered again.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import google.auth.exceptions
import requests.exceptions
from google.api_core import exceptions as google_errors
from google.api_core.retry import Retry, if_exception_type

from shared.errors import Unavailable

_PATIENCE = float(os.environ.get("PATIENCE", "1"))
"""A factor for all of these limits. Tests of other things raise it, so that they pass on a busy machine."""
ANSWER_WITHIN = 8.0 * _PATIENCE
"""Seconds after which an HTTP function answers that it cannot, which leaves a cold start the rest."""
AUTH_TIMEOUT = 1.5 * _PATIENCE
"""Seconds for one call to Firebase Auth, which its library makes twice before it gives up."""
FIRESTORE_TIMEOUT = 3.0 * _PATIENCE
"""Seconds for one call with all its retries."""
ALL_OBJECTS_WITHIN = 5.0 * _PATIENCE
"""Seconds to look up, or to sign, all that one answer needs."""
PICTURES_WITHIN = 0.5 * _PATIENCE
"""Seconds to look for the pictures that no document names, without which an answer is as good."""
SIGNING_TIMEOUT = 2.5 * _PATIENCE
PUBLISH_TIMEOUT = 2.5 * _PATIENCE
COUNTING_TIMEOUT = 2.0 * _PATIENCE
"""Seconds for the one try at counting a view."""
COUNTED_WITHIN = 0.1
"""Seconds that an answer waits for it at the most. After the answer no CPU is promised."""
COUNTING_RUN = 40.0
"""Seconds after which a run that moves counted views leaves the rest to the next."""

_PASSING = (
    google_errors.ServiceUnavailable,
    google_errors.InternalServerError,
    google_errors.TooManyRequests,
    google_errors.BadGateway,
)
_BROKEN_CONNECTIONS = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
)
_AWAY = (
    *_PASSING,
    google_errors.GatewayTimeout,
    google_errors.RetryError,
    # What gRPC makes of a connection that breaks off in the middle of an answer.
    google_errors.Unknown,
    google_errors.Cancelled,
    # Also DefaultCredentialsError: the metadata server, which knows the function's account, can be away.
    google.auth.exceptions.GoogleAuthError,
    *_BROKEN_CONNECTIONS,
    TimeoutError,
)

_answer_by: ContextVar[float] = ContextVar("answer_by", default=math.inf)


def answer_within(seconds: float) -> None:
    """Let no call to Firestore that this thread makes for the request go on for longer than that from now."""
    _answer_by.set(time.monotonic() + seconds)


def firestore_limits() -> dict[str, Any]:
    """The options that bound one call to Firestore, its retries and restarts included.

    A query's stream that breaks off is started again by the library as often as the predicate allows, each time
    with the whole timeout: hence a predicate that ends. Raises Unavailable if the request has no time left.
    """
    now = time.monotonic()
    seconds = min(FIRESTORE_TIMEOUT, _answer_by.get() - now)
    if seconds <= 0:
        raise Unavailable("Firestore")

    def try_again(error: Exception) -> bool:
        return isinstance(error, _PASSING) and time.monotonic() < now + seconds

    retry = Retry(predicate=try_again, initial=0.1, maximum=0.5, timeout=seconds)
    return {"timeout": seconds, "retry": retry}


def counting_limits() -> dict[str, Any]:
    """The options of a write that matters less than the answer it belongs to: it is tried once."""
    return {"timeout": COUNTING_TIMEOUT, "retry": None}


def pubsub_limits() -> dict[str, Any]:
    """The options that bound one call to Pub/Sub, its retries included."""
    retry = Retry(predicate=if_exception_type(*_PASSING), initial=0.1, maximum=0.5, timeout=PUBLISH_TIMEOUT)
    return {"timeout": PUBLISH_TIMEOUT, "retry": retry}


def _storage_limits(connect: float, between_bytes: float, with_retries: float) -> dict[str, Any]:
    passing = if_exception_type(*_PASSING, google_errors.GatewayTimeout, *_BROKEN_CONNECTIONS)
    retry = Retry(predicate=passing, initial=0.2, maximum=2.0, timeout=with_retries * _PATIENCE)
    return {"timeout": (connect * _PATIENCE, between_bytes * _PATIENCE), "retry": retry}


STORAGE_READING = _storage_limits(1.5, 2.5, with_retries=2.5)
"""The options that bound one call to Cloud Storage with a caller waiting."""
STORAGE_GLANCE = {"timeout": (PICTURES_WITHIN, PICTURES_WITHIN), "retry": None}
"""The same, for what is not tried again."""
STORAGE_REMOVING = _storage_limits(5, 20, with_retries=30)
"""The same, for a background function. To delete a generation by its number again changes nothing."""


@contextmanager
def outages(service: str) -> Iterator[None]:
    """Raise Unavailable, which names `service`, in place of what a library raises when it is away."""
    try:
        yield
    except _AWAY as error:
        raise Unavailable(service) from error
