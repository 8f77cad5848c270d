"""Which errors mean that a Google service is away, and which are answers from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import Mock

import google.auth.exceptions
import pytest
import requests.exceptions
from google.api_core import exceptions as google_errors
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1 import types
from google.cloud.storage.exceptions import InvalidResponse

from shared.errors import Unavailable
from shared.outages import cause, fetched, outages

AWAY = (
    google_errors.ServiceUnavailable("away"),
    google_errors.InternalServerError("broken"),
    google_errors.ResourceExhausted("too many"),
    google_errors.BadGateway("nobody there"),
    google_errors.DeadlineExceeded("too late"),
    google_errors.RetryError("gave up", None),
    google_errors.from_http_status(408, "too late"),
    google_errors.Unknown("the stream broke off"),
    google_errors.Cancelled("the stream was ended"),
    google.auth.exceptions.DefaultCredentialsError("no metadata server"),
    google.auth.exceptions.TransportError("no metadata server"),
    requests.exceptions.ConnectionError("refused"),
    requests.exceptions.ReadTimeout("silent"),
    requests.exceptions.ChunkedEncodingError("broke off"),
    TimeoutError("too late"),
)
ANSWERS = (
    google_errors.NotFound("no such document"),
    google_errors.FailedPrecondition("written since"),
    google_errors.PermissionDenied("the account lacks a role"),
    google_errors.InvalidArgument("no such field"),
    ValueError("ours"),
)


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_service_that_is_away_is_named_for_the_log_and_not_to_the_user(error: Exception) -> None:
    with pytest.raises(Unavailable, match="Firestore cannot be reached") as raised, outages("Firestore"):
        raise error
    assert "Firestore" not in raised.value.detail


@pytest.mark.parametrize("error", ANSWERS, ids=lambda error: type(error).__name__)
def test_an_answer_that_is_an_error_is_no_outage(error: Exception) -> None:
    with pytest.raises(type(error)), outages("Firestore"):
        raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            google_errors.TooManyRequests("slow down", errors=[{"reason": "rateLimitExceeded"}]),
            "429 rateLimitExceeded",
        ),
        (google_errors.Forbidden("no"), "403 Forbidden"),
        (google_errors.RetryError("gave up", google_errors.ServiceUnavailable("away")), "503 ServiceUnavailable"),
        (google_errors.RetryError("gave up", requests.exceptions.ReadTimeout("silent")), "ReadTimeout"),
        (google_errors.RetryError("gave up", InvalidResponse(Mock(status_code=408))), "408 InvalidResponse"),
        (google.auth.exceptions.TransportError(requests.exceptions.ConnectTimeout("url")), "ConnectTimeout"),
        (google.auth.exceptions.TransportError("signBlob says 429"), "TransportError: signBlob says 429"),
        (google.auth.exceptions.RefreshError("no access token in", {"id_token": "secret"}), "RefreshError"),
        (TimeoutError(), "TimeoutError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_cause_of_a_failure_is_told_in_a_few_words(error: Exception, told: str) -> None:
    assert cause(error) == told


def test_a_query_that_breaks_before_its_first_document_is_sent_again() -> None:
    """The library would go on after the last document, and fails with a TypeError if there was none."""
    client = firestore.Client("demo", AnonymousCredentials())
    client._firestore_api_internal = Mock()
    run_query = client._firestore_api_internal.run_query
    run_query.side_effect = [_broken([]), _broken(["first"]), iter([_response("first"), _response("second")])]
    ids = [one.id for one in fetched(client.collection("jobs").order_by("created_at"))]
    assert ids == ["first", "second"]
    assert run_query.call_count == 3


def test_a_query_that_is_refused_is_not_sent_again() -> None:
    query = Mock()
    query.get.side_effect = google_errors.FailedPrecondition("The query requires an index.")
    with pytest.raises(google_errors.FailedPrecondition):
        fetched(query)
    assert query.get.call_count == 1


def _broken(names: list[str]) -> Iterator[types.RunQueryResponse]:
    """The stream of a query that breaks after these documents."""
    yield types.RunQueryResponse(read_time=datetime(2026, 1, 1, tzinfo=UTC))
    yield from map(_response, names)
    raise google_errors.ServiceUnavailable("the stream broke off")


def _response(name: str) -> types.RunQueryResponse:
    path = f"projects/demo/databases/(default)/documents/jobs/{name}"
    time = datetime(2026, 1, 1, tzinfo=UTC)
    found = types.Document(name=path, create_time=time, update_time=time)
    return types.RunQueryResponse(document=found, read_time=time)
