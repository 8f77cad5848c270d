"""Creates the buckets, topics and subscriptions that deploy.sh and the cloud console create in the real cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.cloud import pubsub_v1, storage
from google.protobuf.duration_pb2 import Duration

from infra.functions import TOPICS, table
from shared.settings import Settings, dead_letters

_PUSH_DEADLINE = 60
"""Seconds. The cloud's is longer, but here somebody may be watching for a redelivery."""


def make(settings: Settings, push_endpoints: Mapping[str, str]) -> None:
    """Create everything. Events are pushed to these addresses, by function name."""
    make_buckets(settings)
    make_topics(settings, push_endpoints)


def make_buckets(settings: Settings) -> None:
    buckets = storage.Client(project=settings.project)
    for name in settings.buckets:
        if buckets.lookup_bucket(name) is not None:  # kept from an earlier run
            continue
        bucket = buckets.create_bucket(name)
        # Keeps older generations for the purge to remove. The emulator honours this only in a patch.
        bucket.versioning_enabled = True
        bucket.patch()


def make_topics(settings: Settings, push_endpoints: Mapping[str, str]) -> None:
    """Create the topics and their subscriptions. The Pub/Sub emulator loses them when it ends."""
    publisher = pubsub_v1.PublisherClient()
    subscriber = pubsub_v1.SubscriberClient()
    with publisher, subscriber:
        for topic in TOPICS:
            publisher.create_topic(name=_topic(settings, table().topic_name(topic, settings)))
        for topic in table().retried_topics:
            dead = dead_letters(table().topic_name(topic, settings))
            publisher.create_topic(name=_topic(settings, dead))
            subscriber.create_subscription(
                name=_subscription(settings, dead),
                topic=_topic(settings, dead),
                ack_deadline_seconds=table().dead_letters_ack_deadline,
            )
        for function, endpoint in push_endpoints.items():
            subscriber.create_subscription(request=subscription(settings, function, endpoint))


def topics_by_function(settings: Settings) -> dict[str, str]:
    """The background functions, each with the topic that it subscribes to."""
    return {
        name: table().topic_name(function.topic, settings)
        for name, function in table().functions.items()
        if function.topic
    }


def subscription(settings: Settings, function: str, endpoint: str) -> dict[str, Any]:
    """The subscription that pushes a function's events to this address, as Pub/Sub's client takes it."""
    topic = topics_by_function(settings)[function]
    name = _topic(settings, topic)
    request: dict[str, Any] = {
        "name": _subscription(settings, table().functions[function].account),
        "topic": name,
        # As in the cloud: the event's source is the topic in the endpoint's path.
        "push_config": {"push_endpoint": f"{endpoint}/{name}"},
        "ack_deadline_seconds": _PUSH_DEADLINE,
        "retry_policy": {"minimum_backoff": Duration(seconds=1), "maximum_backoff": Duration(seconds=10)},
    }
    if table().functions[function].retry:
        request["dead_letter_policy"] = {
            "dead_letter_topic": _topic(settings, dead_letters(topic)),
            "max_delivery_attempts": table().attempts,
        }
    return request


def _topic(settings: Settings, name: str) -> str:
    return f"projects/{settings.project}/topics/{name}"


def _subscription(settings: Settings, name: str) -> str:
    return f"projects/{settings.project}/subscriptions/{name}"
