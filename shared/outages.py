"""Timeouts and retries for Google's services, and which errors mean that a service is away.

An HTTP function always answers within 10 s. If one service is away, its own limit below applies; ANSWER_WITHIN
cuts off longer sums, such as several slow services. Nobody waits for a background function, so it may spend longer
on a slow bucket before it asks for redelivery.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import google.auth.exceptions
import requests.exceptions
from google.api_core import exceptions as google_errors
from google.api_core.retry import Retry

from shared.errors import Unavailable

if TYPE_CHECKING:
    from google.cloud import firestore

ANSWER_WITHIN = 8.0
"""Seconds after which an HTTP function answers 503. The rest of the 10 s is left for a cold start."""
AUTH_TIMEOUT = 1.5
"""Seconds for one call to Firebase Auth. Its library makes two before it gives up."""
FIRESTORE_TIMEOUT = 3.0
"""Seconds for one call, including its retries."""
ALL_OBJECTS_WITHIN = 5.0
"""Seconds to look up and sign everything that one answer needs."""
LOOKED_UP_WITHIN = 3.0
"""Seconds of ALL_OBJECTS_WITHIN for looking up media that no document names."""
PICTURES_WITHIN = 0.5
"""Seconds of ALL_OBJECTS_WITHIN for looking up pictures that no document names."""
SIGNING_TIMEOUT = 2.5
"""Seconds for one signature including its retries, and for each try."""
PURGE_WITHIN = 180.0
"""Seconds after which a purge leaves the rest to its next run. The function has 300 s, and calls in flight can
take another minute."""
RESTORE_WITHIN = 180.0
"""The same for a restore."""
ERASE_WITHIN = 180.0
"""Seconds after which an erasure leaves the rest to its next run."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.5
"""Seconds before a call to Firestore or Pub/Sub is tried again: the first time, and at the most."""
PUBLISH_TIMEOUT = 2.5
COUNTING_TIMEOUT = 6.0
"""Seconds for the single try at counting a view. If a try that timed out was carried out after all, the view comes
back and is counted twice."""
COUNTED_WITHIN = 2.0
"""Most seconds that the answer to a page that was seen waits for its view to be published. A new instance makes
its publisher first, and CPU is not guaranteed after the answer."""
COUNTING_RUN = 40.0
"""Seconds after which a run that moves counted views leaves the rest to the next run."""

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
    # gRPC raises these two when a connection breaks in the middle of an answer.
    google_errors.Unknown,
    google_errors.Cancelled,
    # Includes DefaultCredentialsError: the metadata server, which knows the function's account, can be away.
    google.auth.exceptions.GoogleAuthError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    TimeoutError,
)
_NEVER = Retry(predicate=lambda _: False)
_MOST_SAID = 150

_patience = 1.0
_answer_by: ContextVar[float] = ContextVar("answer_by", default=math.inf)


def be_patient(factor: float) -> None:
    """Multiply by `factor` every limit in this process whose expiry fails something. See Settings.patience."""
    global _patience  # noqa: PLW0603 - set once, when the process's services are made
    _patience = factor


def patient(seconds: float) -> float:
    """One of the limits above, multiplied by this process's patience."""
    return seconds * _patience


def answer_within(seconds: float) -> None:
    """Limit all calls that this context makes for the request to `seconds` from now."""
    _answer_by.set(time.monotonic() + seconds)


def seconds_for(limit: float) -> float:
    """One of the limits above, multiplied by the patience, but at most what is left of the request's time."""
    return min(patient(limit), _answer_by.get() - time.monotonic())


def firestore_seconds() -> float:
    """How long one call to Firestore may take, including its retries. Raises Unavailable if no time is left."""
    seconds = seconds_for(FIRESTORE_TIMEOUT)
    if seconds <= 0:
        raise Unavailable("Firestore")
    return seconds


def firestore_limits() -> dict[str, Any]:
    """Options that bound one call to Firestore, including its retries and restarts.

    The library restarts a broken query stream as often as the predicate allows, each time with the full timeout,
    so the predicate has a deadline of its own. Raises Unavailable if the request has no time left.
    """
    seconds = firestore_seconds()
    until = time.monotonic() + seconds

    def try_again(error: Exception) -> bool:
        return is_passing(error) and time.monotonic() < until

    return {"timeout": seconds, "retry": _retry(try_again, seconds)}


def fetched(query: firestore.Query | firestore.CollectionReference) -> list[Any]:
    """Snapshots of all documents that the query finds, in order. Raises Unavailable if Firestore is away.

    If a query breaks, all of it is sent again. The library would continue after the last document that it
    received, and fails with a TypeError if it had received none: `Query._make_stream` of google-cloud-firestore.
    """
    seconds = firestore_seconds()
    with outages("Firestore"):
        return list(_retry(is_passing, seconds)(query.get)(timeout=seconds, retry=_NEVER))


def pages(query: firestore.Query, size: int) -> Iterator[list[Any]]:
    """As `fetched`, page by page: each has `size` documents, except the last, and is read once it is needed."""
    query, after = query.limit(size), None
    while True:
        page = fetched(query.start_after(after) if after else query)
        yield page
        if len(page) < size:
            return
        after = page[-1]


def counting_limits() -> dict[str, Any]:
    """Options for a write that matters less than its answer: a single try."""
    return {"timeout": patient(COUNTING_TIMEOUT), "retry": None}


def pubsub_limits() -> dict[str, Any]:
    """Options that bound one call to Pub/Sub, including its retries."""
    seconds = patient(PUBLISH_TIMEOUT)
    return {"timeout": seconds, "retry": _retry(is_passing, seconds)}


def _retry(predicate: Callable[[Exception], bool], seconds: float) -> Retry:
    return Retry(predicate=predicate, initial=FIRST_PAUSE, maximum=LONGEST_PAUSE, timeout=seconds)


@contextmanager
def outages(service: str) -> Iterator[None]:
    """Turn the errors that libraries raise when `service` is away into Unavailable, which names it."""
    try:
        yield
    except Exception as error:
        if not is_away(error):
            raise
        raise Unavailable(service) from error


def is_passing(error: Exception) -> bool:
    """Whether a call that failed like this may succeed when it is tried again."""
    return isinstance(error, _PASSING)


def is_away(error: Exception) -> bool:
    """Whether the error means that a Google service is away, rather than that it answered."""
    # 408 has no exception class.
    return isinstance(error, _AWAY) or getattr(error, "code", None) == HTTPStatus.REQUEST_TIMEOUT


def cause(error: Exception) -> str:
    """The cause of a failed call in a few words for a log or a record, without addresses or tokens."""
    behind = error.cause if isinstance(error, google_errors.RetryError) else None
    if behind is None and isinstance(error, google.auth.exceptions.TransportError) and error.args:
        behind = error.args[0]
    if isinstance(behind, Exception):
        return cause(behind)
    name = type(error).__name__
    if isinstance(behind, str):
        return f"{name}: {behind[:_MOST_SAID]}"  # the service's answer
    # Errors of media transfers have no code, but they have the response.
    status = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
    if not isinstance(status, int):
        return name
    told = [one["reason"] for one in getattr(error, "errors", ()) if isinstance(one, dict) and "reason" in one]
    return f"{status:d} {told[0] if told else name}"
