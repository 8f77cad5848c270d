from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.cloud.pubsub_v1.publisher.exceptions import MessageTooLargeError

from shared.errors import UnprocessableEvent
from shared.messaging.events import JobDeleted
from shared.publishing.dead_letters import Letter
from shared.publishing.publisher import Publisher
from tests.jobs import NOW


class Client:
    """Accepts nearly everything. Like the library's client, it takes attributes as keyword arguments."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes, dict[str, str]]] = []

    def publish(
        self,
        topic: str,
        data: bytes,
        ordering_key: str = "",
        retry: Any = None,
        timeout: Any = None,
        **attributes: str,
    ) -> Future[str]:
        if attributes.get("job_id") == "too-large":
            raise MessageTooLargeError
        self.published.append((topic, data, attributes))
        accepted: Future[str] = Future()
        if attributes.get("job_id") == "refused":
            accepted.set_exception(ServiceUnavailable("away"))
        else:
            accepted.set_result("1")
        return accepted


def test_who_publishes_gets_the_messages_id() -> None:
    assert Publisher(Client(), "topic").publish(JobDeleted("job-1", "me", NOW)) == "1"


def test_a_dead_letter_is_published_again_as_it_was() -> None:
    client = Client()
    Publisher(client, "topic").forward(Letter("1", b"data", {"eventType": "x"}, "receipt"), {"eventType": "y"})
    assert client.published == [("topic", b"data", {"eventType": "y"})]


@pytest.mark.parametrize("name", ["topic", "data", "ordering_key", "retry", "timeout"])
def test_an_attribute_that_the_library_would_take_for_its_own_is_never_published(name: str) -> None:
    client = Client()
    with pytest.raises(UnprocessableEvent, match=name):
        Publisher(client, "topic").forward(Letter("1", b"data", {}, "receipt"), {name: "x"})
    assert client.published == []


def test_an_event_that_cannot_be_published_is_named_and_keeps_no_other_from_going(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Client()
    events = [JobDeleted(job_id, "me", NOW) for job_id in ("first", "too-large", "refused", "last")]
    accepted = Publisher(client, "topic").publish_all(events)
    assert [event.job_id for event in accepted] == ["first", "last"]
    said = [(record.getMessage(), record.__dict__["fields"]) for record in caplog.records]
    assert said == [
        ("not_published", {"job_id": "too-large", "error": "MessageTooLargeError"}),
        ("not_published", {"job_id": "refused", "error": "ServiceUnavailable"}),
    ]
