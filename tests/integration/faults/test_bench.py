"""The bench itself: it injects the intended faults, forwards everything once healed, and loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.api_core import exceptions as google_errors
from google.api_core.retry import Retry
from google.cloud import firestore, pubsub_v1

from infra.local.client import Client
from infra.local.users import Account
from tests.faults import Fault, Kind
from tests.integration.faults.bench import Bench, pointed_at
from tests.jobs import document, new_id, read_entry
from tests.waiting import wait_until

FILES = {"nuumee-images": "reference.png", "nuumee-videos": "motion.mp4", "nuumee-outputs": "output.mp4"}


@pytest.fixture
def account(bench: Bench) -> Account:
    user_id = new_id()
    return bench.users.add(user_id, f"{user_id}@nuumee.test", "test-password")


@pytest.fixture
def new_job(bench: Bench, account: Account) -> Callable[[], str]:
    def make() -> str:
        job_id = new_id()
        bench.database.collection("jobs").document(job_id).set(document(account.user_id))
        for bucket, name in FILES.items():
            bench.buckets.bucket(bucket).blob(f"{account.user_id}/{job_id}/{name}").upload_from_string(b"x")
        return job_id

    return make


def left(bench: Bench, account: Account, job_id: str) -> int:
    prefix = f"{account.user_id}/{job_id}/"
    return sum(
        len(bench.objects.listing(bucket, {"prefix": prefix, "versions": "true"})["items"]) for bucket in FILES
    )


def purged(bench: Bench, account: Account, job_id: str) -> bool:
    return read_entry(bench.database, job_id)["state"] == "done" and left(bench, account, job_id) == 0


def delete(bench: Bench, account: Account, job_id: str) -> None:
    Client(bench.url("delete_job"), account.token).delete(f"/jobs/{job_id}")


STATUSES: dict[Kind, type[Exception]] = {
    Kind.TOO_MANY: google_errors.ResourceExhausted,
    Kind.ERROR: google_errors.InternalServerError,
    Kind.UNAVAILABLE: google_errors.ServiceUnavailable,
    Kind.RESET: google_errors.ServiceUnavailable,
    Kind.SILENCE: google_errors.DeadlineExceeded,
}


@pytest.fixture
def troubled(bench: Bench) -> firestore.Client:
    """A client that meets the purge function's faults."""
    with pointed_at(bench.environment["purge_job"]):
        return firestore.Client(project=bench.settings.project)


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("kind", STATUSES)
def test_a_write_to_firestore_fails_before_or_after_it_was_carried_out(
    bench: Bench, troubled: firestore.Client, kind: Kind, carried_out: bool
) -> None:
    one = troubled.collection("things").document(new_id())
    bench.trouble["purge_job", "firestore"].on_call = lambda call: Fault(kind, carried_out)
    with pytest.raises(STATUSES[kind]):
        one.set({"a": 1}, retry=None, timeout=1)
    bench.heal()
    assert one.get().exists is carried_out


def test_a_firestore_stream_breaks_off_after_its_first_response(bench: Bench, troubled: firestore.Client) -> None:
    things = troubled.collection(new_id())
    for number in range(3):
        things.document(str(number)).set({"a": number})
    bench.trouble["purge_job", "firestore"].on_call = lambda call: Fault(Kind.RESET, carried_out=True)
    stream = things.stream(retry=Retry(predicate=lambda error: False), timeout=5)
    assert next(stream).id == "0"
    with pytest.raises(google_errors.ServiceUnavailable):
        list(stream)
    bench.heal()
    assert len(list(things.stream())) == 3


def test_a_slow_firestore_gives_the_right_answer(bench: Bench, troubled: firestore.Client) -> None:
    bench.trouble["purge_job", "firestore"].on_call = lambda call: Fault(Kind.SLOW)
    began = time.monotonic()
    assert not troubled.collection("things").document(new_id()).get().exists
    assert time.monotonic() - began > 0.25


def test_no_acknowledged_write_is_lost_when_firestore_is_killed(bench: Bench, troubled: firestore.Client) -> None:
    fields = {"text": "ä", "number": 1.5, "map": {"list": [1, None, True]}, "bytes": b"\x00"}
    names = [f"things/{new_id()}" for _ in range(3)] + [f"things/{new_id()}/under/{new_id()}"]
    for name in names:
        troubled.document(name).set(fields)
    troubled.document(names[0]).update({"number": firestore.Increment(1)})
    troubled.document(names[1]).delete()
    before = bench.firestore.host
    bench.restart_firestore()
    assert bench.firestore.host != before
    expected = [{**fields, "number": 2.5}, None, fields, fields]
    wait_until(lambda: [troubled.document(name).get().to_dict() for name in names] == expected)


Pull = Callable[[], list[str]]


@pytest.fixture
def topic(bench: Bench) -> Iterator[tuple[Callable[[str], None], Pull]]:
    """A function that publishes with the purge function's faults, and one that returns all received messages."""
    name = new_id()
    with pointed_at(bench.environment["purge_job"]):
        publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    topic = publisher.topic_path(bench.settings.project, f"topic-{name}")
    subscription = subscriber.subscription_path(bench.settings.project, f"subscription-{name}")
    publisher.create_topic(name=topic)
    subscriber.create_subscription(name=subscription, topic=topic)
    came: list[str] = []

    def publish(text: str) -> None:
        publisher.publish(topic, text.encode()).result(timeout=10)

    def pull() -> list[str]:
        try:
            request = {"subscription": subscription, "max_messages": 10}
            received = subscriber.pull(request, timeout=1, retry=None).received_messages
        except google_errors.DeadlineExceeded:
            return came
        came.extend(one.message.data.decode() for one in received)
        if received:
            subscriber.acknowledge(subscription=subscription, ack_ids=[one.ack_id for one in received])
        return came

    with publisher, subscriber:
        yield publish, pull


def test_a_message_can_be_published_twice(bench: Bench, topic: Any) -> None:
    publish, pull = topic
    bench.trouble["purge_job", "pubsub"].on_call = lambda call: Fault(Kind.DUPLICATE)
    publish("first")
    wait_until(lambda: pull() == ["first", "first"])


def test_a_held_back_message_is_delivered_after_the_next_one(bench: Bench, topic: Any) -> None:
    publish, pull = topic
    bench.trouble["purge_job", "pubsub"].on_call = lambda call: Fault(Kind.HELD_BACK)
    publish("first")
    bench.trouble["purge_job", "pubsub"].heal()
    publish("second")
    wait_until(lambda: pull() == ["second", "first"])


def test_a_held_back_message_is_delivered_after_healing(bench: Bench, topic: Any) -> None:
    publish, pull = topic
    bench.trouble["purge_job", "pubsub"].on_call = lambda call: Fault(Kind.HELD_BACK)
    publish("first")
    bench.heal()
    wait_until(lambda: pull() == ["first"])


def test_a_message_is_published_although_the_response_is_lost(bench: Bench, topic: Any) -> None:
    publish, pull = topic
    faults = iter([Fault(Kind.UNAVAILABLE, carried_out=True)])
    bench.trouble["purge_job", "pubsub"].on_call = lambda call: next(faults, None) if call == "Publish" else None
    publish("first")  # the library retries
    wait_until(lambda: pull() == ["first", "first"])


def ends(lines: list[str], job_id: str, *outcomes: str) -> list[str]:
    """What purge_job has said at the end of each run for the job."""
    said = [line for line in lines if line.startswith("purge_job ") and job_id in line]
    return [line for line in said if any(outcome in line for outcome in outcomes)]


def test_a_push_can_be_repeated_and_can_fail_before_or_after_it_is_handled(
    bench: Bench, lines: list[str], account: Account, new_job: Callable[[], str]
) -> None:
    pushes = iter([Fault(Kind.UNAVAILABLE), Fault(Kind.RESET, carried_out=True), Fault(Kind.DUPLICATE)])
    job_id = new_job()
    # An earlier test's message may come once more meanwhile.
    bench.trouble["purge_job", "push"].on_call = lambda call: next(pushes, None) if job_id in call else None
    delete(bench, account, job_id)
    # The first push was refused. Of the next two, one was not answered and one came twice: three runs in all.
    wait_until(lambda: len(ends(lines, job_id, "event_done")) == 3)
    assert purged(bench, account, job_id)


@pytest.mark.parametrize(
    ("number", "call", "is_seen_in_attempts"),
    [(1, "BatchGetDocuments deletions/{id}", False), (1, "Commit deletions/{id}", True), (2, "{id}%2F", True)],
)
def test_a_function_killed_halfway_restarts_and_finishes_its_work(
    bench: Bench, lines: list[str], account: Account, number: int, call: str, is_seen_in_attempts: bool
) -> None:
    # The job has no files, because process_upload would record their uploads in the document.
    job_id = new_id()
    bench.database.collection("jobs").document(job_id).set(document(account.user_id))
    killed = bench.kill_at("purge_job", number, call.format(id=job_id))
    delete(bench, account, job_id)
    wait_until(lambda: purged(bench, account, job_id))
    assert killed.is_set()
    # The call at which it was killed was carried out, so a killed run counts once its start was recorded. So does
    # each later run: on a busy machine the event may come more than once.
    wait_until(
        lambda: (
            read_entry(bench.database, job_id)["attempts"]
            == len(ends(lines, job_id, "event_done", "event_retry")) + is_seen_in_attempts
        )
    )


def test_no_message_is_lost_when_pubsub_is_killed(
    bench: Bench, account: Account, new_job: Callable[[], str]
) -> None:
    bench.trouble["purge_job", "push"].on_call = lambda call: Fault(Kind.UNAVAILABLE)
    job_id = new_job()
    delete(bench, account, job_id)
    bench.restart_pubsub()
    bench.heal()
    wait_until(lambda: purged(bench, account, job_id))
