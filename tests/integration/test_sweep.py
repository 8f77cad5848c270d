"""A sweep through the real Pub/Sub emulator: it repeats lost purges and handles dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from google.cloud import firestore, pubsub_v1, storage

from infra.functions import table
from infra.local.stack import Stack
from shared.messaging.events import JobDeleted
from tests.jobs import NOW, deleted, entry, new_id, read_entry
from tests.messages import notification
from tests.waiting import wait_until

Publish = Callable[..., str]


@pytest.fixture(scope="module")
def publisher() -> Iterator[pubsub_v1.PublisherClient]:
    with pubsub_v1.PublisherClient() as client:
        yield client


@pytest.fixture
def publish(stack: Stack, publisher: pubsub_v1.PublisherClient) -> Publish:
    def send(topic: str, data: bytes, **attributes: str) -> str:
        name = publisher.topic_path(stack.settings.project, topic)
        message_id: str = publisher.publish(name, data, **attributes).result(timeout=10)
        return message_id

    return send


@pytest.fixture
def pending(database: firestore.Client) -> Callable[..., str]:
    """Make a deleted job whose event was lost."""

    def make(**changes: Any) -> str:
        job_id = new_id()
        database.collection("jobs").document(job_id).set(deleted("me"))
        database.collection("deletions").document(job_id).set(entry("me", **changes))
        return job_id

    return make


def is_done(database: firestore.Client, job_id: str) -> bool:
    return bool(read_entry(database, job_id).get("state") == "done")


def sweep_until(publish: Publish, condition: Callable[[], object]) -> None:
    """Sweep until the condition holds, because a pull may miss messages that were just published."""

    def swept() -> object:
        publish(table().every_minute_topic, b"{}")
        return condition()

    wait_until(swept)


def test_a_purge_whose_event_was_lost_is_done_after_a_sweep(
    database: firestore.Client, publish: Publish, pending: Callable[..., str]
) -> None:
    due, of_old_form = pending(sweep_at=NOW), new_id()
    old = {"state": "pending", "requested_at": NOW, "attempts": 0}
    database.collection("jobs").document(of_old_form).set(deleted("me", purge=old))
    for job_id in (due, of_old_form):
        sweep_until(publish, partial(is_done, database, job_id))


def test_an_upload_after_the_purge_is_removed_and_told(
    database: firestore.Client, buckets: storage.Client, pending: Callable[..., str]
) -> None:
    job_id = pending(state="done", sweep_at=None)
    bucket = buckets.bucket("nuumee-outputs")
    bucket.blob(f"me/{job_id}/output.mp4").upload_from_string(b"late!")
    wait_until(lambda: not list(buckets.list_blobs(bucket, prefix=f"me/{job_id}/", versions=True)))
    purge = read_entry(database, job_id)
    assert (purge["late_objects"], purge["late_bytes"], purge["state"]) == (1, 5, "done")


def test_a_dead_letter_is_replayed(
    stack: Stack, database: firestore.Client, publish: Publish, pending: Callable[..., str]
) -> None:
    job_id = pending(sweep_at=NOW.replace(year=2099))
    data, attributes = JobDeleted(job_id, "me", NOW).encode()
    publish(f"{stack.settings.job_deleted_topic}-dead-letters", data, **attributes)
    sweep_until(publish, partial(is_done, database, job_id))


def test_a_replay_is_handled_only_by_the_function_whose_dead_letter_it_is(
    stack: Stack, publish: Publish, log_lines: list[str]
) -> None:
    data, attributes = notification(f"me/{new_id()}/output.mp4")
    source = {"CloudPubSubDeadLetterSourceSubscription": "another"}
    message_id = publish(stack.settings.object_finalized_topic, data, **attributes, **source)
    wait_until(lambda: any("replay_for_another" in line and message_id in line for line in list(log_lines)))


def test_a_dead_letter_that_cannot_be_replayed_is_kept_once(
    stack: Stack, database: firestore.Client, publish: Publish, log_lines: list[str]
) -> None:
    message_id = publish(
        f"{stack.settings.object_finalized_topic}-dead-letters", b"garbage", eventType="NONE", __x__="odd"
    )
    kept = database.collection("dead_letters").document(message_id)
    sweep_until(publish, lambda: kept.get().exists)
    letter = kept.get().to_dict() or {}
    assert (letter["data"], json.loads(letter["attributes"])) == (
        b"garbage",
        {"eventType": "NONE", "__x__": "odd"},
    )
    assert letter["reason"]

    def said() -> list[str]:
        return [line for line in list(log_lines) if "dead_letter_never" in line and message_id in line]

    wait_until(said)
    tick = publish(table().every_minute_topic, b"{}")
    wait_until(lambda: any(tick in line and "event_" in line for line in list(log_lines)))
    assert len(said()) == 1
