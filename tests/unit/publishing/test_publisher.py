from __future__ import annotations

import pytest

from shared.errors import UnprocessableEvent
from shared.messaging.events import JobDeleted
from shared.publishing.dead_letters import Letter
from shared.publishing.publisher import Publisher
from tests.jobs import NOW
from tests.publishing import Client


def test_who_publishes_gets_the_messages_id() -> None:
    assert Publisher(Client(), "topic").publish(JobDeleted("job-1", "me", NOW)) == "1"


def test_a_dead_letter_is_published_again_as_it_was() -> None:
    client = Client()
    Publisher(client, "topic").forward(Letter("1", b"data", {"eventType": "x"}, "receipt"), {"eventType": "y"})
    assert client.published == [("topic", b"data", {"eventType": "y"})]


@pytest.mark.parametrize("name", ["self", "topic", "data", "ordering_key", "retry", "timeout"])
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
