"""The dead letters of a topic: messages that nobody could process, which wait in a subscription of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.outages import outages, pubsub_limits


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was delivered as often as its subscription has it, and that nobody could process."""

    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    receipt: str
    """What acknowledges it."""


class DeadLetters:
    """The subscription in which the dead letters of one topic wait. Raises Unavailable when Pub/Sub is away."""

    def __init__(self, client: Any, subscription: str) -> None:
        self._client = client
        self._subscription = subscription

    def pull(self, limit: int) -> list[Letter]:
        """Some of those that wait, up to `limit`. What is not acknowledged comes again after a minute."""
        # To wait for messages would keep an idle function on the bill, each minute anew.
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
        """Let it go. If it comes again all the same, it is seen to again."""
        request = {"subscription": self._subscription, "ack_ids": [letter.receipt]}
        with outages("Pub/Sub"):
            self._client.acknowledge(request, **pubsub_limits())
