"""Messages that the local cloud's Storage publishes about new objects."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import pubsub_v1, storage

from infra.local import ports
from infra.local.notifications import Notifications, finalized
from infra.local.objects import UNANNOUNCED
from infra.local.stack import Stack
from tests.jobs import new_id
from tests.waiting import wait_until

BUCKET = "nuumee-videos"


@pytest.fixture(scope="module")
def heard(stack: Stack) -> Iterator[Callable[[str, int], list[Any]]]:
    """Wait for so many messages about objects with this prefix. Returns them in the order of their generations."""
    topic = f"projects/{stack.settings.project}/topics/{stack.settings.object_finalized_topic}"
    name = f"projects/{stack.settings.project}/subscriptions/listener-{new_id()}"
    messages: dict[str, Any] = {}
    with pubsub_v1.SubscriberClient() as subscriber:
        subscriber.create_subscription(name=name, topic=topic)

        def pull() -> None:
            try:
                answer = subscriber.pull(subscription=name, max_messages=100, timeout=2)
            except DeadlineExceeded:
                return
            for received in answer.received_messages:
                messages[received.message.message_id] = received.message
            if ids := [received.ack_id for received in answer.received_messages]:
                subscriber.acknowledge(subscription=name, ack_ids=ids)

        def about(prefix: str, count: int) -> list[Any]:
            def found() -> list[Any]:
                return [one for one in messages.values() if one.attributes["objectId"].startswith(prefix)]

            def enough() -> bool:
                pull()
                return len(found()) >= count

            wait_until(enough)
            return sorted(found(), key=lambda one: int(one.attributes["objectGeneration"]))

        yield about
        subscriber.delete_subscription(subscription=name)


def test_a_new_object_is_told_of_as_cloud_storage_does(buckets: storage.Client, heard: Any) -> None:
    blob = buckets.bucket(BUCKET).blob(f"user/{new_id()}/motion.mp4")
    blob.upload_from_string(b"0123456789", content_type="video/mp4")
    (message,) = heard(blob.name, 1)
    attributes = dict(message.attributes)
    assert datetime.fromisoformat(attributes.pop("eventTime")) == blob.updated
    assert attributes == {
        "notificationConfig": f"projects/_/buckets/{BUCKET}/notificationConfigs/1",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": BUCKET,
        "objectId": blob.name,
        "objectGeneration": str(blob.generation),
    }
    resource = json.loads(message.data)
    assert {
        name: resource[name] for name in ("kind", "id", "name", "bucket", "generation", "contentType", "size")
    } == {
        "kind": "storage#object",
        "id": f"{BUCKET}/{blob.name}/{blob.generation}",
        "name": blob.name,
        "bucket": BUCKET,
        "generation": str(blob.generation),
        "contentType": "video/mp4",
        "size": "10",
    }


def test_an_upload_that_is_to_be_unannounced_is_stored_like_any_other_and_not_told_of(
    buckets: storage.Client, heard: Any
) -> None:
    prefix = f"user/{new_id()}"
    unannounced, next_one = (buckets.bucket(BUCKET).blob(f"{prefix}/{name}.mp4") for name in ("motion", "next"))
    unannounced.metadata = {UNANNOUNCED: ""}
    for blob in (unannounced, next_one):
        blob.upload_from_string(b"0123456789", content_type="video/mp4")
    assert [message.attributes["objectId"] for message in heard(prefix, 1)] == [next_one.name]
    stored = buckets.bucket(BUCKET).get_blob(unannounced.name)
    assert (stored.size, stored.metadata or {}) == (10, {})


def test_one_that_replaces_another_says_which(buckets: storage.Client, heard: Any) -> None:
    blob = buckets.bucket(BUCKET).blob(f"user/{new_id()}/motion.mp4")
    blob.upload_from_string(b"first")
    first = str(blob.generation)
    blob.upload_from_string(b"second")
    told = [message.attributes.get("overwroteGeneration") for message in heard(blob.name, 2)]
    assert told == [None, first]


def test_every_way_in_which_an_object_comes_to_be_is_told_of_and_nothing_else_is(
    buckets: storage.Client, heard: Any
) -> None:
    bucket = buckets.bucket(BUCKET)
    folder = f"user/{new_id()}"
    simple = bucket.blob(f"{folder}/simple")
    simple.upload_from_string(b"12345")
    resumable = bucket.blob(f"{folder}/resumable", chunk_size=256 * 1024)
    resumable.upload_from_string(b"x" * 300_000)
    bucket.copy_blob(simple, bucket, f"{folder}/copy")
    bucket.blob(f"{folder}/rewritten").rewrite(simple)
    bucket.blob(f"{folder}/composed").compose([simple, simple])
    simple.metadata = {"seen": "yes"}
    simple.patch()
    simple.delete()
    bucket.blob(f"{folder}/last").upload_from_string(b"")
    names = [message.attributes["objectId"].removeprefix(f"{folder}/") for message in heard(folder, 6)]
    assert names == ["simple", "resumable", "copy", "rewritten", "composed", "last"]
    sizes = [json.loads(message.data)["size"] for message in heard(folder, 6)]
    assert sizes == ["5", "300000", "5", "5", "10", "0"]


def test_what_is_new_while_pubsub_is_away_is_told_of_when_it_is_back() -> None:
    port = ports.any_free(["pubsub"])["pubsub"]
    notifications = Notifications("projects/p/topics/t", f"{ports.HOST}:{port}")
    resource = {"bucket": "b", "generation": "1", "updated": "2026-11-22T12:00:00Z"}
    for name in ("first", "second"):
        notifications.send(finalized({**resource, "name": name}, None))
    pubsub = _Pubsub(port)
    try:
        wait_until(lambda: notifications.unpublished == 0)
        assert pubsub.calls > 1, "the first call was refused"
        assert pubsub.objects == ["first", "second"]
    finally:
        notifications.close()
        pubsub.stop()


class _Pubsub(grpc.GenericRpcHandler):  # type: ignore[misc]  # untyped
    """Does not know the topic at the first call, as after a restart."""

    def __init__(self, port: int) -> None:
        self.calls = 0
        self.objects: list[str] = []
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(2))
        self._server.add_generic_rpc_handlers((self,))
        self._server.add_insecure_port(f"{ports.HOST}:{port}")
        self._server.start()

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(self._publish)

    def _publish(self, request: bytes, context: Any) -> bytes:
        self.calls += 1
        if self.calls == 1:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such topic")
        messages = pubsub_v1.types.PublishRequest.deserialize(request).messages
        self.objects.extend(message.attributes["objectId"] for message in messages)
        return b""

    def stop(self) -> None:
        self._server.stop(None).wait()
