"""What deploy.sh and the cloud console make in the real cloud: buckets, topics and subscriptions."""

from __future__ import annotations

from google.cloud import pubsub_v1, storage
from google.protobuf.duration_pb2 import Duration

from shared.settings import Settings

DEAD_LETTERS = "dead-letters"
PURGE_SUBSCRIPTION = "purge-job"
MOST_ATTEMPTS = 5


def make(settings: Settings, push_endpoint: str) -> None:
    """Make all of it, with events pushed to the purge function at `push_endpoint`."""
    buckets = storage.Client(project=settings.project)
    for name in settings.buckets:
        bucket = buckets.create_bucket(name)
        # So that older generations are there to be purged. The emulator heeds it only in a patch.
        bucket.versioning_enabled = True
        bucket.patch()

    publisher = pubsub_v1.PublisherClient()
    subscriber = pubsub_v1.SubscriberClient()
    with publisher, subscriber:
        topic = publisher.topic_path(settings.project, settings.job_deleted_topic)
        dead = publisher.topic_path(settings.project, f"{settings.job_deleted_topic}-{DEAD_LETTERS}")
        for name in (topic, dead):
            publisher.create_topic(name=name)
        subscriber.create_subscription(
            name=dead_letters_subscription(settings), topic=dead, ack_deadline_seconds=60
        )
        subscriber.create_subscription(
            request={
                "name": subscriber.subscription_path(settings.project, PURGE_SUBSCRIPTION),
                "topic": topic,
                # As Eventarc's own subscriptions do: the event's source is the topic in the endpoint's path.
                "push_config": {"push_endpoint": f"{push_endpoint}/{topic}"},
                "ack_deadline_seconds": 60,
                "retry_policy": {"minimum_backoff": Duration(seconds=1), "maximum_backoff": Duration(seconds=10)},
                "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": MOST_ATTEMPTS},
            }
        )


def dead_letters_subscription(settings: Settings) -> str:
    """Full name of the subscription that keeps what could not be processed."""
    return f"projects/{settings.project}/subscriptions/{settings.job_deleted_topic}-{DEAD_LETTERS}"
