"""Publishes Cloud Storage's notifications about new objects, for a Storage emulator that publishes none.

https://cloud.google.com/storage/docs/pubsub-notifications
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Mapping
from typing import Any

import grpc
from google.pubsub_v1.types import PublishRequest, PubsubMessage

_TIMEOUT = 5
"""Seconds per attempt."""
_PAUSE = 0.25
"""Seconds between attempts."""
_AT_ONCE = 100


def finalized(resource: Mapping[str, Any], overwritten: str | None) -> PubsubMessage:
    """The message about the new object `resource`, which replaced the generation `overwritten`, if any."""
    attributes = {
        "notificationConfig": f"projects/_/buckets/{resource['bucket']}/notificationConfigs/1",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": resource["bucket"],
        "objectId": resource["name"],
        "objectGeneration": resource["generation"],
        "eventTime": resource["updated"],
    }
    if overwritten is not None:
        attributes["overwroteGeneration"] = overwritten
    return PubsubMessage(data=json.dumps(resource).encode(), attributes=attributes)


class Notifications:
    """Publishes to `topic`, a full name, at the emulator `host`, in the background, until Pub/Sub accepts it.

    A message can arrive twice, as with Cloud Storage. None is lost while this process lives.
    """

    def __init__(self, topic: str, host: str) -> None:
        self._topic = topic
        self._host = host
        self._messages: queue.SimpleQueue[PubsubMessage] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._unpublished = 0
        threading.Thread(target=self._publish_all, name="notifications", daemon=True).start()

    @property
    def unpublished(self) -> int:
        """How many messages Pub/Sub has not accepted yet."""
        with self._lock:
            return self._unpublished

    def send(self, message: PubsubMessage) -> None:
        with self._lock:
            self._unpublished += 1
        self._messages.put(message)

    def close(self) -> None:
        """Stop publishing."""
        self._ended.set()

    def _publish_all(self) -> None:
        first = self._messages.get()
        # The library's own client backs off for up to minutes if Pub/Sub was away.
        channel = grpc.insecure_channel(self._host, options=[("grpc.max_reconnect_backoff_ms", 500)])
        publish = channel.unary_unary(
            "/google.pubsub.v1.Publisher/Publish", request_serializer=PublishRequest.serialize
        )
        while not self._ended.is_set():
            messages = [first]
            while len(messages) < _AT_ONCE and not self._messages.empty():
                messages.append(self._messages.get())
            self._publish(publish, PublishRequest(topic=self._topic, messages=messages))
            with self._lock:
                self._unpublished -= len(messages)
            first = self._messages.get()
        channel.close()

    def _publish(self, publish: Any, request: PublishRequest) -> None:
        while not self._ended.is_set():
            try:
                publish(request, timeout=_TIMEOUT)
                return
            except grpc.RpcError:  # includes NotFound: after a restart the topics must be created again
                self._ended.wait(_PAUSE)
