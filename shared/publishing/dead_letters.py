"""The dead letters of a topic: messages that could not be processed, waiting in their own subscription."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.outages import outages, pubsub_limits


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that failed every delivery that its subscription allows."""

    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    receipt: str
    """The acknowledgement id."""


class DeadLetters:
    """The subscription that holds one topic's dead letters. Raises Unavailable when Pub/Sub is away."""

    def __init__(self, client: Any, subscription: str) -> None:
        self._client = client
        self._subscription = subscription

    def pull(self, limit: int) -> list[Letter]:
        """Up to `limit` waiting letters. A letter that is not acknowledged comes again after a minute."""
        # Waiting for messages would bill an idle function every minute.
        request = {"subscription": self._subscription, "max_messages": limit, "return_immediately": True}
        with outages("Pub/Sub"):
            answer = self._client.pull(request, **pubsub_limits())
        return [
            Letter(
                received.message.message_id,
                received.message.data,
                dict(received.message.attributes),
                received.ack_id,
            )
            for received in answer.received_messages
        ]

    def acknowledge(self, letter: Letter) -> None:
        """Remove the letter from the subscription. If it still comes again, it is handled again."""
        request = {"subscription": self._subscription, "ack_ids": [letter.receipt]}
        with outages("Pub/Sub"):
            self._client.acknowledge(request, **pubsub_limits())
