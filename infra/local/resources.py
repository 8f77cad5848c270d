"""What deploy.sh and the cloud console make in the real cloud: buckets, topics and subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google.cloud import pubsub_v1, storage
from google.protobuf.duration_pb2 import Duration

from shared.settings import Settings

DEAD_LETTERS = "dead-letters"
SWEEP_TOPIC = "sweep-purges"
MOST_ATTEMPTS = 5


def make(settings: Settings, push_endpoints: Mapping[str, str]) -> None:
    """Make all of it, with events pushed to the functions at these addresses, by name."""
    make_buckets(settings)
    make_topics(settings, push_endpoints)


def make_buckets(settings: Settings) -> None:
    buckets = storage.Client(project=settings.project)
    for name in settings.buckets:
        if buckets.lookup_bucket(name) is not None:  # it was kept
            continue
        bucket = buckets.create_bucket(name)
        # So that older generations are there to be purged. The emulator heeds it only in a patch.
        bucket.versioning_enabled = True
        bucket.patch()


def make_topics(settings: Settings, push_endpoints: Mapping[str, str]) -> None:
    """Make the topics and their subscriptions, of which the Pub/Sub emulator keeps none when it ends."""
    publisher = pubsub_v1.PublisherClient()
    subscriber = pubsub_v1.SubscriberClient()
    with publisher, subscriber:
        for name in (settings.job_deleted_topic, settings.object_finalized_topic, SWEEP_TOPIC):
            publisher.create_topic(name=_topic(settings, name))
            if name != SWEEP_TOPIC:  # in its place the next minute's message does
                publisher.create_topic(name=_topic(settings, _dead_letters(name)))
                subscriber.create_subscription(
                    name=_subscription(settings, _dead_letters(name)),
                    topic=_topic(settings, _dead_letters(name)),
                    ack_deadline_seconds=60,
                )
        topics = topics_by_function(settings)
        for function, endpoint in push_endpoints.items():
            subscriber.create_subscription(request=_push(settings, function, topics[function], endpoint))


def make_subscription(settings: Settings, function: str, endpoint: str) -> Callable[[], None]:
    """Let a function have its events at this address; give what ends that again."""
    request = _push(settings, function, topics_by_function(settings)[function], endpoint)
    with pubsub_v1.SubscriberClient() as subscriber:
        subscriber.create_subscription(request=request)

    def remove() -> None:
        with pubsub_v1.SubscriberClient() as subscriber:
            subscriber.delete_subscription(subscription=request["name"])

    return remove


def topics_by_function(settings: Settings) -> dict[str, str]:
    """The background functions, each with the topic whose messages it gets."""
    return {
        "purge_job": settings.job_deleted_topic,
        "process_upload": settings.object_finalized_topic,
        "make_posters": settings.object_finalized_topic,
        "sweep_purges": SWEEP_TOPIC,
        "count_views": SWEEP_TOPIC,
    }


def dead_letters_subscription(settings: Settings) -> str:
    """Full name of the subscription that keeps what could not be processed."""
    return _subscription(settings, _dead_letters(settings.job_deleted_topic))


def _push(settings: Settings, function: str, topic: str, endpoint: str) -> dict[str, Any]:
    name = _topic(settings, topic)
    subscription: dict[str, Any] = {
        "name": _subscription(settings, function.replace("_", "-")),
        "topic": name,
        # As Eventarc's own subscriptions do: the event's source is the topic in the endpoint's path.
        "push_config": {"push_endpoint": f"{endpoint}/{name}"},
        "ack_deadline_seconds": 60,
        "retry_policy": {"minimum_backoff": Duration(seconds=1), "maximum_backoff": Duration(seconds=10)},
    }
    if topic != SWEEP_TOPIC:
        dead = _topic(settings, _dead_letters(topic))
        subscription["dead_letter_policy"] = {"dead_letter_topic": dead, "max_delivery_attempts": MOST_ATTEMPTS}
    return subscription


def _topic(settings: Settings, name: str) -> str:
    return f"projects/{settings.project}/topics/{name}"


def _subscription(settings: Settings, name: str) -> str:
    return f"projects/{settings.project}/subscriptions/{name}"


def _dead_letters(topic: str) -> str:
    return f"{topic}-{DEAD_LETTERS}"
