"""How an event ends, and the one log line about it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from shared.errors import JobFull, PurgeIncomplete, Unavailable, UnprocessableEvent
from shared.messaging.events import JobDeleted
from shared.messaging.subscriber import Subscriber, subscriber
from shared.services import Services
from tests.fakes import FakeServices
from tests.jobs import NOW
from tests.messages import message

EVENT = message(JobDeleted("job-1", "me", NOW))


def handler_that_raises(error: Exception | None) -> Subscriber[JobDeleted]:
    @subscriber(JobDeleted)
    def handle(event: JobDeleted, services: Services) -> None:
        if error:
            raise error

    return handle


@pytest.mark.parametrize(
    ("error", "outcome", "severity"),
    [
        (None, "event_done", "INFO"),
        (UnprocessableEvent("the job is live"), "event_never", "ERROR"),
        (JobFull(), "event_never", "ERROR"),
        (PurgeIncomplete("files may be left"), "event_retry", "WARNING"),
        (Unavailable("Firestore"), "event_retry", "WARNING"),
        (RuntimeError("boom"), "event_retry", "ERROR"),
    ],
)
def test_each_outcome_is_one_line_with_the_job_the_message_and_the_attempt(
    error: Exception | None, outcome: str, severity: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "nuumee"):
        try:
            handler_that_raises(error).receive({**EVENT, "deliveryAttempt": 3}, FakeServices())
            comes_back = False
        except ServiceUnavailable:
            comes_back = True
    (line,) = caplog.records
    assert (line.getMessage(), line.levelname) == (outcome, severity)
    fields: dict[str, Any] = line.__dict__["fields"]
    assert (fields["function"], fields["job_id"], fields["message_id"]) == ("handle", "job-1", "7")
    assert fields["attempt"] == 3
    assert comes_back == (outcome == "event_retry")


@pytest.mark.parametrize("data", [None, [], {}, {"message": 7}, {"message": {}}, {"message": {"messageId": None}}])
def test_a_message_without_an_id_is_told_of_without_one(data: object, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "nuumee"):
        handler_that_raises(None).receive(data, FakeServices())
    (line,) = caplog.records
    assert (line.getMessage(), "message_id" in line.__dict__["fields"]) == ("event_never", False)


@pytest.mark.parametrize("attempt", [None, 0])
def test_where_nobody_counts_the_attempts_none_is_told(attempt: object, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "nuumee"):
        handler_that_raises(None).receive({**EVENT, "deliveryAttempt": attempt}, FakeServices())
    assert "attempt" not in caplog.records[0].__dict__["fields"]


@pytest.mark.parametrize("data", ["", "no base64", base64.b64encode(b"no JSON").decode()])
def test_a_probe_is_answered_in_the_log_and_not_handled(data: str, caplog: pytest.LogCaptureFixture) -> None:
    probe = {"message": {"data": data, "attributes": {"probe": "20261126100100"}, "messageId": "8"}}
    with caplog.at_level("INFO", "nuumee"):
        handler_that_raises(RuntimeError("it was handled")).receive(probe, FakeServices())
    (line,) = caplog.records
    assert (line.getMessage(), line.levelname) == ("probe_answered", "INFO")
    fields: dict[str, Any] = line.__dict__["fields"]
    assert fields == {"function": "handle", "probe": "20261126100100", "message_id": "8"}


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("another", "replay_for_another"),
        ("projects/p/subscriptions/another", "replay_for_another"),
        ("handle", "event_done"),
        ("projects/p/subscriptions/handle", "event_done"),
        ("", "event_done"),
    ],
)
def test_a_replayed_dead_letter_is_handled_only_by_the_function_that_it_failed_in(
    source: str, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    replay = message(JobDeleted("job-1", "me", NOW))
    replay["message"]["attributes"]["CloudPubSubDeadLetterSourceSubscription"] = source
    with caplog.at_level("INFO", "nuumee"):
        handler_that_raises(None).receive(replay, FakeServices())
    (line,) = caplog.records
    assert (line.getMessage(), line.levelname) == (outcome, "INFO")
