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
from http import HTTPStatus
from typing import Any

import google.auth.exceptions
import requests.exceptions
from google.api_core import exceptions as google_errors
from google.api_core.retry import Retry, if_exception_type

from shared.errors import Unavailable

PATIENCE = float(os.environ.get("PATIENCE", "1"))
"""A factor for all of these limits. Tests of other things raise it, so that they pass on a busy machine."""
ANSWER_WITHIN = 8.0 * PATIENCE
"""Seconds after which an HTTP function answers that it cannot, which leaves a cold start the rest."""
AUTH_TIMEOUT = 1.5 * PATIENCE
"""Seconds for one call to Firebase Auth, which its library makes twice before it gives up."""
FIRESTORE_TIMEOUT = 3.0 * PATIENCE
"""Seconds for one call with all its retries."""
ALL_OBJECTS_WITHIN = 5.0 * PATIENCE
"""Seconds to look up and to sign all that one answer needs."""
LOOKED_UP_WITHIN = 3.0 * PATIENCE
"""Seconds of these to look up the media that no document names."""
PICTURES_WITHIN = 0.5 * PATIENCE
"""Seconds of these to look for the pictures that no document names."""
SIGNING_TIMEOUT = 2.5 * PATIENCE
"""Seconds for which one signature is tried again, and for each of the tries."""
PURGE_WITHIN = 180.0
"""Seconds after which a purge leaves the rest to its next run. The function has 300; what is under way then can
take another minute."""
PUBLISH_TIMEOUT = 2.5 * PATIENCE
COUNTING_TIMEOUT = 2.0 * PATIENCE
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
_AWAY = (
    *_PASSING,
    google_errors.GatewayTimeout,
    google_errors.RetryError,
    # What gRPC makes of a connection that breaks off in the middle of an answer.
    google_errors.Unknown,
    google_errors.Cancelled,
    # Also DefaultCredentialsError: the metadata server, which knows the function's account, can be away.
    google.auth.exceptions.GoogleAuthError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    TimeoutError,
)
_MOST_SAID = 150

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


@contextmanager
def outages(service: str) -> Iterator[None]:
    """Raise Unavailable, which names `service`, in place of what a library raises when it is away."""
    try:
        yield
    except Exception as error:
        if not is_away(error):
            raise
        raise Unavailable(service) from error


def is_away(error: Exception) -> bool:
    """Whether that is how a service of Google's fails when it is away, not an answer of its."""
    # 408 has no class of its own.
    return isinstance(error, _AWAY) or getattr(error, "code", None) == HTTPStatus.REQUEST_TIMEOUT


def cause(error: Exception) -> str:
    """What lies behind a failed call in a few words, for a log or a record: no address, no token."""
    behind = error.cause if isinstance(error, google_errors.RetryError) else None
    if behind is None and isinstance(error, google.auth.exceptions.TransportError) and error.args:
        behind = error.args[0]
    if isinstance(behind, Exception):
        return cause(behind)
    name = type(error).__name__
    if isinstance(behind, str):
        return f"{name}: {behind[:_MOST_SAID]}"  # what the service has answered
    # Media transfers raise what has no code, but the response.
    status = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
    if not isinstance(status, int):
        return name
    told = [one["reason"] for one in getattr(error, "errors", ()) if isinstance(one, dict) and "reason" in one]
    return f"{status:d} {told[0] if told else name}"
