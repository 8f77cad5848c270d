"""A proxy for Pub/Sub that outlives the emulator behind it, and can deliver twice and out of order."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import grpc
from google.pubsub_v1.types import PublishRequest, PublishResponse, PubsubMessage

from tests.faults import Fault, Kind, Trouble
from tests.integration.faults.grpc_proxy import GrpcProxy, Upstream

_PUBLISH = "/google.pubsub.v1.Publisher/Publish"
_ids = itertools.count(10**15)


class Pubsub(Upstream):
    """An emulator. It loses topics, subscriptions and messages when it ends."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self._lock = threading.Lock()
        self._held_back: list[PublishRequest] = []
        self._undelivered: dict[str, tuple[str, PubsubMessage]] = {}

    def accepted(self, request: PublishRequest, ids: list[str]) -> None:
        """Remember published messages until they are delivered."""
        with self._lock:
            for message_id, message in zip(ids, request.messages, strict=True):
                self._undelivered[message_id] = (request.topic, message)

    @property
    def undelivered(self) -> int:
        """The number of messages that no function has processed yet."""
        with self._lock:
            return len(self._undelivered)

    def delivered(self, message_id: str) -> None:
        with self._lock:
            self._undelivered.pop(message_id, None)

    def hold_back(self, request: PublishRequest) -> PublishResponse:
        """Accept the messages, and publish them when `let_go` is called."""
        with self._lock:
            self._held_back.append(request)
        return PublishResponse(message_ids=[str(next(_ids)) for _ in request.messages])

    def let_go(self) -> None:
        with self._lock:
            held_back, self._held_back = self._held_back, []
        for request in held_back:
            self._publish(request)

    def publish_again(self) -> None:
        """Publish undelivered messages again on a new emulator, once its topics exist."""
        with self._lock:
            undelivered, self._undelivered = self._undelivered, {}
        for topic, message in undelivered.values():
            self._publish(PublishRequest(topic=topic, messages=[message]))

    def _publish(self, request: PublishRequest) -> None:
        """Publish messages that their sender believes to be published. If this fails, they stay held back."""
        call = self.channel.unary_unary(
            _PUBLISH,
            request_serializer=PublishRequest.serialize,
            response_deserializer=PublishResponse.deserialize,
        )
        try:
            response = call(request, timeout=5)
        except (grpc.RpcError, ValueError):
            with self._lock:
                self._held_back.append(request)
        else:
            self.accepted(request, list(response.message_ids))


class PubsubProxy(GrpcProxy):
    unary = frozenset(
        {
            *("Publish", "Pull", "Acknowledge", "ModifyAckDeadline"),
            *("CreateTopic", "GetTopic", "DeleteTopic", "CreateSubscription", "GetSubscription"),
            "DeleteSubscription",
        }
    )
    always = frozenset({"CreateTopic", "CreateSubscription"})

    def __init__(self, pubsub: Pubsub, trouble: Trouble | None) -> None:
        super().__init__(pubsub, trouble)
        self._pubsub = pubsub

    def carry_out(self, name: str, request: bytes, call: Callable[[bytes], bytes], fault: Fault | None) -> bytes:
        if name != "Publish":
            return call(request)
        published = PublishRequest.deserialize(request)
        if fault is not None and fault.kind is Kind.HELD_BACK:
            return bytes(PublishResponse.serialize(self._pubsub.hold_back(published)))
        for _ in range(2 if fault is not None and fault.kind is Kind.DUPLICATE else 1):
            response = call(request)
            self._pubsub.accepted(published, list(PublishResponse.deserialize(response).message_ids))
        self._pubsub.let_go()
        return response
