"""Publishes events to Pub/Sub topics and waits until they are accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Any, Protocol, TypeVar

from shared import log, tracing
from shared.errors import UnprocessableEvent
from shared.outages import PUBLISH_TIMEOUT, outages, patient, pubsub_limits
from shared.publishing.dead_letters import Letter

_ARGUMENTS = {"self", "topic", "data", "ordering_key", "retry", "timeout"}


class Encodable(Protocol):
    @property
    def job_id(self) -> str | None: ...

    def encode(self) -> tuple[bytes, dict[str, str]]:
        """The message's data and attributes."""
        ...


E = TypeVar("E", bound=Encodable)


class Publisher:
    """Publishes to one topic and waits, because a function has no CPU after its answer."""

    def __init__(self, client: Any, topic: str) -> None:
        self._client = client
        self._topic = topic

    def publish(self, event: Encodable) -> str:
        """Return the message's id. Raises the library's error if it is not accepted within PUBLISH_TIMEOUT."""
        message_id: str = self._begin(*_traced(event)).result(timeout=patient(PUBLISH_TIMEOUT))
        return message_id

    def publish_all(self, events: Sequence[E]) -> list[E]:
        """Publish in parallel; return the events accepted within PUBLISH_TIMEOUT and log the others."""
        begun = [self._begun(event) for event in events]
        wait(begun, patient(PUBLISH_TIMEOUT))
        accepted: list[E] = []
        for event, future in zip(events, begun, strict=True):
            error = future.exception() if future.done() else TimeoutError()
            if error is None:
                accepted.append(event)
            else:
                log.warning("not_published", job_id=event.job_id, error=type(error).__name__)
        return accepted

    def forward(self, letter: Letter, attributes: Mapping[str, str]) -> None:
        """Publish a dead letter's data again with other attributes.

        Raises UnprocessableEvent for attributes that the library would take as its own arguments.
        """
        if odd := _ARGUMENTS & attributes.keys():
            raise UnprocessableEvent(f"no message can be published with the attribute {min(odd)}")
        with outages("Pub/Sub"):
            self._begin(letter.data, attributes).result(timeout=patient(PUBLISH_TIMEOUT))

    def _begun(self, event: Encodable) -> Future[str]:
        """Start publishing. An event that cannot be sent gives a failed future, so that the others still go."""
        try:
            begun: Future[str] = self._begin(*_traced(event))
        except Exception as error:
            begun = Future()
            begun.set_exception(error)
        return begun

    def _begin(self, data: bytes, attributes: Mapping[str, str]) -> Any:
        return self._client.publish(self._topic, data, **pubsub_limits(), **attributes)


def _traced(event: Encodable) -> tuple[bytes, dict[str, str]]:
    """The message's data and attributes, with the trace that led to it."""
    data, attributes = event.encode()
    trace = log.trace()
    return data, {**attributes, tracing.ATTRIBUTE: str(trace)} if trace else attributes
