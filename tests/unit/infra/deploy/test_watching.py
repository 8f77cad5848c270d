"""What makes events happen: buckets' notifications and the schedule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.infra.deploy.checkout import DEFAULTS, REQUIRED, Checkout, Line, deployed, option, those


def test_each_bucket_tells_of_its_new_objects_once_somebody_listens(commands: list[Line]) -> None:
    listening = commands.index(deployed(commands, "process_upload"))
    for bucket in DEFAULTS.buckets:
        (command,) = those(commands, "storage", "buckets", "notifications", "create", f"gs://{bucket}")
        assert option(command, "--topic") == "projects/nuumee-test/topics/object-finalized"
        assert {"--event-types=OBJECT_FINALIZE", "--payload-format=json"} <= set(command)
        assert commands.index(command) > listening
    assert len(those(commands, "storage", "buckets", "notifications", "create")) == len(DEFAULTS.buckets)


NEW = {"event_types": ["OBJECT_FINALIZE"], "payload_format": "JSON_API_V1"}


@pytest.mark.parametrize(
    "changes",
    [
        {"event_types": ["OBJECT_FINALIZE", "OBJECT_DELETE"]},
        {"event_types": None},
        {"payload_format": "NONE"},
        {"object_name_prefix": "users/"},
    ],
)
def test_a_bucket_that_tells_something_else_is_made_to_tell_of_new_objects(
    changes: dict[str, Any], checkout: Checkout
) -> None:
    checkout.must()
    (told,) = checkout.cloud.notifications["gs://nuumee-videos"]
    wanted = {**told, "id": "2"}
    told.update(changes)
    made, gone = checkout.must()
    # Without a moment in which nothing is told.
    assert [made[3], gone[3]] == ["create", "delete"]
    assert checkout.cloud.notifications["gs://nuumee-videos"] == [wanted]
    assert checkout.must() == []


def test_a_notification_that_could_not_be_removed_goes_with_the_next_run(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.notifications["gs://nuumee-videos"][0]["payload_format"] = "NONE"
    checkout.cloud.failing = "notifications delete"
    assert checkout.deploy().returncode == 7
    checkout.cloud.failing = None
    (gone,) = checkout.must()
    assert gone[3:5] == ["delete", "projects/_/buckets/nuumee-videos/notificationConfigs/1"]


@pytest.mark.parametrize(
    ("topic", "made"),
    [
        ("projects/nuumee-test/topics/object-finalized", 0),
        ("projects/nuumee-test/topics/object-finalized-too", 3),
        ("projects/nuumee-test/topics/another-object-finalized", 3),
        ("projects/another/topics/object-finalized", 3),
    ],
)
def test_a_bucket_that_tells_the_topic_is_not_made_to_tell_it_twice(
    topic: str, made: int, checkout: Checkout
) -> None:
    told = {"id": "7", "topic": f"//pubsub.googleapis.com/{topic}", **NEW}
    checkout.cloud.notifications = {f"gs://{bucket}": [dict(told)] for bucket in DEFAULTS.buckets}
    changes = checkout.must()
    assert len(those(changes, "storage", "buckets", "notifications", "create")) == made


def test_a_sweep_is_due_every_minute(commands: list[Line]) -> None:
    (command,) = those(commands, "scheduler", "jobs", "create", "pubsub")
    assert command[4] == "every-minute"
    assert {"--location=us-central1", "--schedule=* * * * *", "--message-body={}"} <= set(command)
    assert option(command, "--topic") == "projects/nuumee-test/topics/every-minute"
    assert commands.index(command) > commands.index(deployed(commands, "sweep_purges"))


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "0 * * * *"},
        {"pubsubTarget": {"topicName": "projects/nuumee-test/topics/other", "data": "e30="}},
        {"pubsubTarget": {"topicName": "projects/nuumee-test/topics/every-minute", "data": "eA=="}},
        {"state": "PAUSED"},
        {"description": ""},
    ],
)
def test_a_schedule_that_differs_is_updated(changes: dict[str, Any], checkout: Checkout) -> None:
    checkout.must()
    wanted = dict(checkout.cloud.schedules["every-minute"])
    checkout.cloud.schedules["every-minute"].update(changes)
    (changed,) = checkout.must()
    assert changed[:2] == ["scheduler", "jobs"]
    assert checkout.cloud.schedules["every-minute"] == wanted


def test_a_schedule_of_somebody_elses_is_neither_changed_nor_deleted(checkout: Checkout) -> None:
    checkout.must()
    topic = {"pubsubTarget": {"topicName": "projects/nuumee-test/topics/other", "data": "e30="}}
    checkout.cloud.schedules["every-minute"].update(topic, description="", state="PAUSED")
    others = dict(checkout.cloud.schedules["every-minute"])
    checkout.cloud.calls.clear()
    done = checkout.deploy()
    assert (done.returncode, "the schedule every-minute is another product's" in done.stderr) == (2, True)
    assert checkout.cloud.changes() == []
    checkout.answers = ["nuumee-test"]
    assert checkout.deploy("destroy", *REQUIRED).returncode == 0
    assert checkout.cloud.schedules == {"every-minute": others}
