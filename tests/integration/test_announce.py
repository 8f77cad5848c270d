"""`python -m infra.announce` against the emulators, with buckets and a topic of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest
from google.cloud import pubsub_v1, storage

from infra.announce import main
from infra.local.stack import PROJECT, Stack
from shared.messaging.events import ObjectFinalized
from shared.publishing.dead_letters import DeadLetters
from tests.integration.programs import run_main, run_module
from tests.jobs import new_id

# Without this, a pull would wait for messages.
pytestmark = pytest.mark.filterwarnings("ignore:The return_immediately flag:DeprecationWarning")

Announce = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def names(buckets: storage.Client) -> list[str]:
    """Three buckets that no other test uses."""
    made = [f"announce-{new_id()}" for _ in range(3)]
    for name in made:
        buckets.create_bucket(name)
    return made


@pytest.fixture
def topic(stack: Stack) -> str:
    """A topic with a subscription of the same name."""
    name = f"announce-{new_id()}"
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    path = publisher.topic_path(PROJECT, name)
    publisher.create_topic(name=path)
    subscriber.create_subscription(name=subscriber.subscription_path(PROJECT, name), topic=path)
    return name


@pytest.fixture
def environment(stack: Stack, names: list[str], topic: str) -> dict[str, str]:
    variables = dict(zip(("IMAGES_BUCKET", "VIDEOS_BUCKET", "OUTPUTS_BUCKET"), names, strict=True))
    variables |= {"GOOGLE_CLOUD_PROJECT": PROJECT, "OBJECT_FINALIZED_TOPIC": topic}
    return {**os.environ, **stack.environment, **variables}


@pytest.fixture
def announce(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Announce:
    """What the program does in a process of its own, done in this one."""
    return lambda *options, **changes: run_main(main, ["-m", *options], {**environment, **changes}, capsys)


def told(topic: str) -> set[ObjectFinalized]:
    """Everything that was published to the topic since the last call."""
    subscriber = pubsub_v1.SubscriberClient()
    letters = DeadLetters(subscriber, subscriber.subscription_path(PROJECT, topic))
    received = letters.pull(100)
    for letter in received:
        letters.acknowledge(letter)
    return {ObjectFinalized.decode(letter.data, letter.attributes) for letter in received}


def put(buckets: storage.Client, bucket: str, name: str, content_type: str) -> ObjectFinalized:
    blob = buckets.bucket(bucket).blob(name)
    blob.upload_from_string(b"medium", content_type=content_type)
    return ObjectFinalized(bucket, name, int(blob.generation), 6, content_type)


def test_the_functions_are_told_of_every_medium_and_of_nothing_else(
    announce: Announce, environment: dict[str, str], buckets: storage.Client, names: list[str], topic: str
) -> None:
    images, videos, outputs = names
    media = {
        put(buckets, images, "me/job-1/reference.png", "image/png"),
        put(buckets, videos, "me/job-1/motion.mov", "video/quicktime"),
        put(buckets, outputs, "me/job-1/output.mp4", "video/mp4"),
    }
    for name in ("me/job-1/poster.webp", "me/job-1/output.mp4.part", "output.mp4"):
        put(buckets, outputs, name, "video/mp4")
    counted = announce()
    assert (counted.returncode, counted.stdout) == (0, "announce: 3 images and videos to tell of, with --send\n")
    assert told(topic) == set()
    sent = run_module("infra.announce", "--send", "--per-second=1000", environment=environment)
    assert (sent.returncode, sent.stdout) == (0, "announce: 3 images and videos told of\n")
    assert told(topic) == media


def test_a_run_that_was_broken_off_goes_on_where_it_was(
    announce: Announce, buckets: storage.Client, names: list[str], topic: str
) -> None:
    _, videos, outputs = names
    put(buckets, videos, "me/job-1/motion.mov", "video/quicktime")
    rest = {put(buckets, outputs, f"me/job-{number}/output.mp4", "video/mp4") for number in (1, 2)}
    broken = announce("--send", OBJECT_FINALIZED_TOPIC="no-such-topic")
    assert broken.returncode == 1
    assert broken.stderr.strip().endswith(f"To go on: --start={videos}/me/job-1/motion.mov")
    assert announce("--send", f"--start={outputs}/me/job-1/output.mp4").returncode == 0
    assert told(topic) == rest


@pytest.mark.parametrize("option", ["--start=elsewhere/me", "--per-second=0", "--per-second=-1"])
def test_what_makes_no_sense_is_refused_by_name(announce: Announce, option: str) -> None:
    refused = announce("--send", option)
    assert refused.returncode != 0
    assert option.partition("=")[0] in refused.stderr
    assert "Traceback" not in refused.stderr
