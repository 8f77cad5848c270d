"""The end of a deployment."""

from __future__ import annotations

import copy

import pytest

from tests.unit.infra.deploy.checkout import DEFAULTS, REQUIRED, Checkout, Done
from tests.unit.infra.deploy.test_removal import check, parts


def destroy(checkout: Checkout, answer: str = "nuumee-test") -> Done:
    checkout.cloud.calls.clear()
    checkout.answers = [answer]
    return checkout.deploy("destroy", *REQUIRED)


@pytest.mark.parametrize("answer", ["", "yes", "nuumee"])
def test_nothing_is_destroyed_unless_the_project_is_named(answer: str, checkout: Checkout) -> None:
    checkout.must()
    before = parts(checkout)
    done = destroy(checkout, answer)
    assert (done.returncode, parts(checkout), checkout.cloud.changes()) == (2, before, [])
    assert "nothing was removed" in done.stderr


def test_an_end_leaves_the_database_and_buckets_with_objects(checkout: Checkout) -> None:
    checkout.must(*REQUIRED, "--alert-email=ops@a.example")
    checkout.cloud.objects["gs://nuumee-images/u/1/reference.png"] = "image"
    checkout.cloud.soft_deleted.add("gs://nuumee-videos/u/1/motion.mp4")
    database = copy.deepcopy(checkout.cloud.database)
    done = destroy(checkout)
    assert done.returncode == 0, done.stdout
    cloud = checkout.cloud
    assert cloud.database == database
    # The build bucket has the records of releases.
    kept = ("gs://nuumee-images", "gs://nuumee-videos", "gs://nuumee-test-nuumee-build")
    assert {*cloud.buckets} == {*kept}, "what was deleted can be restored"
    empty = (cloud.services, cloud.topics, cloud.subscriptions, cloud.schedules, cloud.alerts, cloud.accounts)
    assert [len(part) for part in empty] == [0] * len(empty)
    assert all(role["deleted"] for role in cloud.roles.values())
    assert (cloud.channels, cloud.metrics, cloud.checks, cloud.dashboards) == ({}, {}, {}, {})
    assert (cloud.keys, cloud.versions, cloud.repository) == ({}, None, None)
    assert cloud.policies["projects nuumee-test"] == []
    assert not any(command[0] == "firestore" for command in cloud.changes())
    # What sends ends before what receives.
    first = [command[0] for command in cloud.changes()]
    assert first.index("scheduler") < first.index("run") < first.index("iam")


def test_an_end_leaves_no_notification_to_a_topic_of_an_earlier_setting(checkout: Checkout) -> None:
    checkout.must(*REQUIRED, "--object-finalized-topic=uploads")
    others = {"id": "other", "topic": "//pubsub.googleapis.com/projects/nuumee-test/topics/other"}
    checkout.cloud.notifications["gs://nuumee-videos"].append(others)
    assert destroy(checkout).returncode == 0
    assert [*checkout.cloud.notifications.values()] == [[], [others], []]


def test_an_end_leaves_nothing_on_a_bucket_of_an_earlier_setting(checkout: Checkout) -> None:
    checkout.must(*REQUIRED, "--outputs-bucket=nuumee-old")
    checkout.must()
    assert destroy(checkout).returncode == 0
    assert checkout.cloud.notifications["gs://nuumee-old"] == []
    assert checkout.cloud.policies["storage buckets gs://nuumee-old"] == []


@pytest.mark.parametrize("kept", ["private", "for everybody"])
def test_an_end_neither_shows_nor_touches_a_bucket_of_another_project(kept: str, checkout: Checkout) -> None:
    checkout.must()
    del checkout.cloud.buckets["gs://nuumee-videos"]
    checkout.cloud.others_buckets = {"gs://nuumee-videos": kept}
    done = destroy(checkout)
    assert done.returncode == 0, done.stderr
    assert "nuumee-videos" not in done.stdout
    assert not any("nuumee-videos" in " ".join(command) for command in checkout.cloud.changes())
    assert {*checkout.cloud.buckets} == {"gs://nuumee-test-nuumee-build"}


def test_an_end_leaves_no_second_channel_of_one_name(checkout: Checkout) -> None:
    checkout.must(*REQUIRED, "--alert-email=ops@a.example")
    ((path, channel),) = checkout.cloud.channels.items()
    checkout.cloud.channels[f"{path}9"] = {**channel, "name": f"{path}9"}
    assert destroy(checkout).returncode == 0
    assert checkout.cloud.channels == {}


def test_an_end_of_what_was_never_deployed_removes_nothing(checkout: Checkout) -> None:
    assert destroy(checkout).returncode == 0
    assert checkout.cloud.changes() == []


def test_an_end_that_fails_in_part_goes_on_and_can_be_repeated(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.failing = "run services delete purge-job"
    done = destroy(checkout)
    assert done.returncode == 1
    assert "could not be removed, run destroy again: service purge-job" in done.stdout
    assert [*checkout.cloud.services] == ["purge-job"]
    checkout.cloud.failing = None
    assert destroy(checkout).returncode == 0
    assert checkout.cloud.services == {}


def test_after_its_end_a_deployment_can_be_made_anew(checkout: Checkout) -> None:
    checkout.must()
    assert destroy(checkout).returncode == 0
    checkout.must()
    assert {f"gs://{bucket}" for bucket in DEFAULTS.buckets} <= {*checkout.cloud.buckets}
    assert check(checkout).returncode == 0


@pytest.mark.parametrize("kept", [None, "purge-job"])
def test_nothing_is_rolled_back_to_before_an_end_even_if_it_was_interrupted(
    kept: str | None, checkout: Checkout
) -> None:
    checkout.must()
    checkout.change_source()
    checkout.must()
    checkout.cloud.failing = kept and f"run services delete {kept}"
    assert destroy(checkout).returncode == int(bool(kept))
    checkout.cloud.failing = None
    checkout.must()
    serving = checkout.cloud.serving()
    checkout.cloud.calls.clear()
    done = checkout.deploy("rollback", *REQUIRED)
    assert (done.returncode, checkout.cloud.changes()) == (2, [])
    assert "there is no earlier release that could be gone back to" in done.stderr
    # What was released since can be gone back to.
    checkout.change_source()
    checkout.must()
    checkout.must("rollback", *REQUIRED)
    assert checkout.cloud.serving() == serving


def test_after_an_end_there_is_nothing_to_roll_back_to(checkout: Checkout) -> None:
    checkout.must()
    checkout.change_source()
    checkout.must()
    assert destroy(checkout).returncode == 0
    done = checkout.deploy("rollback", *REQUIRED)
    assert (done.returncode, "no earlier release" in done.stderr) == (2, True)
