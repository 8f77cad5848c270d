from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from shared.errors import UnprocessableEvent
from shared.messaging.events import JobDeleted
from shared.publishing.publisher import Letter, Publisher
from tests.jobs import NOW


class Client:
    """Accepts everything, as the library's client takes it: attributes are arguments among others."""

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
        self.published.append((topic, data, attributes))
        accepted: Future[str] = Future()
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
