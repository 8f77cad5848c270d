"""Events of every kind, through the Pub/Sub emulator to the staged purge function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import firestore, pubsub_v1, storage

from infra.local import ports
from infra.local.client import Client
from infra.local.stack import Stack
from shared.messaging.events import JobDeleted
from shared.settings import dead_letters
from tests.jobs import NOW, deleted, document, new_id, read, read_entry
from tests.waiting import wait_until

Publish = Callable[..., str]


@pytest.fixture(scope="module")
def publisher() -> Iterator[pubsub_v1.PublisherClient]:
    with pubsub_v1.PublisherClient() as client:
        yield client


@pytest.fixture
def publish(stack: Stack, publisher: pubsub_v1.PublisherClient) -> Publish:
    """Publish a message to job-deleted; returns its id."""
    topic = publisher.topic_path(stack.settings.project, stack.settings.job_deleted_topic)

    def send(data: bytes, **attributes: str) -> str:
        message_id: str = publisher.publish(topic, data, **attributes).result(timeout=10)
        return message_id

    return send


@pytest.fixture
def outcome(log_lines: list[str]) -> Callable[[str], list[dict[str, Any]]]:
    """Wait until the purge function has handled a message; returns what it logged about it."""

    def about(message_id: str) -> list[dict[str, Any]]:
        lines = [line.partition(" | ")[2] for line in list(log_lines) if line.startswith("purge_job ")]
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in events if event.get("message_id") == message_id]

    def wait(message_id: str) -> list[dict[str, Any]]:
        wait_until(lambda: about(message_id))
        return about(message_id)

    return wait


@pytest.fixture(scope="module")
def hopeless() -> list[str]:
    """Ids of this module's messages that can never be processed."""
    return []


@pytest.fixture
def files(buckets: storage.Client) -> Callable[[str, str], Callable[[], int]]:
    """Upload a job's three files. The returned function tells how many are left."""

    def upload(user_id: str, job_id: str) -> Callable[[], int]:
        names = {"nuumee-images": "reference.png", "nuumee-videos": "motion.mp4", "nuumee-outputs": "output.mp4"}
        for bucket, name in names.items():
            buckets.bucket(bucket).blob(f"{user_id}/{job_id}/{name}").upload_from_string(b"x")
        return lambda: sum(
            len(list(buckets.list_blobs(bucket, prefix=f"{user_id}/{job_id}/", versions=True))) for bucket in names
        )

    return upload


@pytest.fixture
def doomed(database: firestore.Client, files: Any, log_lines: list[str]) -> Callable[[], tuple[str, Any]]:
    """Make a job with three files and mark it as deleted. Returns its id and a function that counts its files.

    Marks it only after Storage's notifications of the files were handled: a later one would remove its file.
    """

    def make() -> tuple[str, Any]:
        job_id = put(database, document("me"))
        left = files("me", job_id)

        def seen() -> bool:
            lines = [line for line in list(log_lines) if line.startswith("process_upload ") and job_id in line]
            return sum("event_done" in line for line in lines) >= 3

        wait_until(seen)
        database.collection("jobs").document(job_id).set(deleted("me"))
        return job_id, left

    return make


def put(database: firestore.Client, fields: dict[str, Any]) -> str:
    job_id = new_id()
    database.collection("jobs").document(job_id).set(fields)
    return job_id


def ended_well(outcome: Any, message_id: str) -> bool:
    return "event_done" in [event["message"] for event in outcome(message_id)]


def purged(database: firestore.Client, job_id: str) -> bool:
    return bool(read_entry(database, job_id).get("state") == "done")


def send(publish: Publish, job_id: str, user_id: str, **changes: Any) -> str:
    data, attributes = JobDeleted(job_id, user_id, NOW).encode()
    return publish(json.dumps({**json.loads(data), **changes}).encode(), **attributes)


def test_an_event_of_a_live_job_removes_nothing(
    database: firestore.Client, publish: Publish, outcome: Any, files: Any
) -> None:
    job_id = put(database, document("me"))
    left = files("me", job_id)
    before = read(database, job_id)
    assert [event["message"] for event in outcome(send(publish, job_id, "me"))] == ["event_never"]
    assert left() == 3
    assert read(database, job_id) == before


def test_an_event_of_an_unknown_job_removes_nothing(publish: Publish, outcome: Any, files: Any) -> None:
    job_id = new_id()
    left = files("me", job_id)
    assert [event["message"] for event in outcome(send(publish, job_id, "me"))] == ["event_never"]
    assert left() == 3


def test_an_event_with_another_users_id_removes_nothing_of_either(
    database: firestore.Client, publish: Publish, outcome: Any, files: Any, doomed: Any
) -> None:
    job_id, mine = doomed()
    yours = files("you", job_id)
    assert [event["message"] for event in outcome(send(publish, job_id, "you"))] == ["event_never"]
    assert (mine(), yours()) == (3, 3)
    assert read_entry(database, job_id) == {}


def test_duplicates_and_late_events_end_like_one(
    database: firestore.Client, publish: Publish, outcome: Any, doomed: Any
) -> None:
    job_id, left = doomed()
    sent = [send(publish, job_id, "me") for _ in range(5)]
    # One event claims to be older than the document's deletion, and one newer.
    sent.append(send(publish, job_id, "me", deleted_at="2020-01-01T00:00:00Z"))
    sent.append(send(publish, job_id, "me", deleted_at="2030-01-01T00:00:00Z"))
    for message_id in sent:
        wait_until(partial(ended_well, outcome, message_id))
    assert left() == 0
    purge = read_entry(database, job_id)
    assert purge["state"] == "done"
    assert purge["attempts"] >= len(sent)
    assert sum(bucket["objects"] for bucket in purge["buckets"].values()) == 3


def test_events_in_any_order_each_purge_their_own_job(
    database: firestore.Client, publish: Publish, files: Any, doomed: Any
) -> None:
    jobs = dict(doomed() for _ in range(6))
    live = files("me", put(database, document("me")))
    for job_id in reversed(jobs):
        send(publish, job_id, "me")
    for job_id, left in jobs.items():
        wait_until(partial(purged, database, job_id))
        assert left() == 0
    assert live() == 3


MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "no UTF-8": b"\xff\xfe\x00",
    "future version": JobDeleted("{job}", "me", NOW).encode()[0].replace(b'"version": 1', b'"version": 2'),
    "empty job id": JobDeleted("", "me", NOW).encode()[0],
    "empty user id": JobDeleted("{job}", "", NOW).encode()[0],
    "dots": JobDeleted("..", "..", NOW).encode()[0],
    "slashes": JobDeleted("{job}/", "me/", NOW).encode()[0],
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_an_event_that_can_never_succeed_is_recorded_once_and_removes_nothing(
    database: firestore.Client, publish: Publish, outcome: Any, doomed: Any, hopeless: list[str], kind: str
) -> None:
    job_id, left = doomed()
    data = MALFORMED[kind].replace(b"{job}", job_id.encode())
    # An empty message must have attributes.
    message_id = publish(data, about="nothing")
    hopeless.append(message_id)
    events = outcome(message_id)
    assert [(event["message"], event["severity"]) for event in events] == [("event_never", "ERROR")]
    assert events[0]["reason"]
    assert left() == 3


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("POST", {"Content-Type": "application/json"}, b"{}"),
        ("POST", {"Content-Type": "application/json"}, b"{"),
        ("POST", {"Content-Type": "text/plain"}, b""),
        ("POST", {"Content-Type": "application/cloudevents+json"}, b"[]"),
        ("GET", {}, b""),
    ],
)
def test_what_is_no_cloud_event_leaves_a_line_too(
    stack: Stack, log_lines: list[str], method: str, headers: dict[str, str], body: bytes
) -> None:
    before = len(log_lines)
    answer = requests.request(method, stack.function_url("purge_job"), headers=headers, data=body, timeout=15)
    assert answer.status_code >= 400

    def told() -> list[dict[str, Any]]:
        lines = [line.partition("{") for line in log_lines[before:] if '"event_refused"' in line]
        return [json.loads(brace + rest) for _, brace, rest in lines]

    wait_until(told)
    (line,) = told()
    assert (line["function"], line["method"], line["status"]) == ("purge_job", method, answer.status_code)
    assert (line["severity"], line["reason"]) == ("WARNING", "it is no CloudEvent")


def test_an_event_nobody_takes_waits_in_the_dead_letters_and_can_be_replayed(
    stack: Stack, database: firestore.Client, publish: Publish, files: Any, new_account: Any
) -> None:
    account = new_account()
    job_id = put(database, document(account.user_id))
    left = files(account.user_id, job_id)
    stack.processes.stop(["purge_job"])
    try:
        assert Client(stack.url, account.token).delete(f"/jobs/{job_id}")["purge"] == "pending"
        with pubsub_v1.SubscriberClient() as subscriber:
            letters: list[Any] = []
            settings = stack.settings
            kept_in = subscriber.subscription_path(settings.project, dead_letters(settings.job_deleted_topic))

            def pull() -> list[Any]:
                try:
                    answer = subscriber.pull(subscription=kept_in, max_messages=10, timeout=5)
                except DeadlineExceeded:
                    return []
                letters.extend(answer.received_messages)
                return letters

            wait_until(pull, seconds=60)
    finally:
        stack.start_function("purge_job")
        stack.processes.wait_for("purge_job", lambda: ports.answers(stack.ports["purge_job"]))
    (letter,) = letters
    assert letter.message.attributes["job_id"] == job_id
    assert letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert letter.message.attributes["CloudPubSubDeadLetterSourceSubscription"].endswith("purge-job")
    assert left() == 3
    assert read_entry(database, job_id)["state"] == "pending"

    publish(letter.message.data, **dict(letter.message.attributes))
    wait_until(partial(purged, database, job_id))
    assert left() == 0


def test_events_that_can_never_succeed_were_each_delivered_once(outcome: Any, hopeless: list[str]) -> None:
    """The previous test waited for five deliveries of an event that was not acknowledged."""
    assert len(hopeless) == len(MALFORMED)
    assert {message_id: len(outcome(message_id)) for message_id in hopeless} == dict.fromkeys(hopeless, 1)
