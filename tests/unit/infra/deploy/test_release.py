"""Releases: all services or none."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.unit.infra.deploy.checkout import (
    ACCOUNTS,
    FUNCTIONS,
    REQUIRED,
    RETRIED,
    TOPICS,
    Checkout,
    option,
    those,
)
from tests.unit.infra.deploy.cloud.command import Command, NotThere

MOVE = ("run", "services", "update-traffic")
ORDER = [
    *(FUNCTIONS[name].account for name in RETRIED),
    *(FUNCTIONS[name].account for name in TOPICS if name not in RETRIED),
    *(account for account, function in ACCOUNTS.items() if not function.topic),
]
"""Consumers of events before producers."""


def test_a_project_that_may_not_build_in_the_region_is_told_what_to_set(checkout: Checkout) -> None:
    checkout.cloud.failing = "builds submit build/functions --region=us-central1"
    checkout.cloud.saying = (
        "(gcloud.builds.submit) FAILED_PRECONDITION: due to quota restrictions, "
        "Cloud Build cannot run builds in this region, see https://cloud.google.com/build/docs/locations"
    )
    done = checkout.deploy()
    assert done.returncode == 2
    assert "Google lets this project build nothing in us-central1. Set BUILD_REGION to global" in done.stderr
    (built,) = those(checkout.must(*REQUIRED, "--build-region=global"), "builds", "submit")
    assert option(built, "--region") == "global"
    assert {option(one, "--region") for one in those(checkout.calls(), "run", "deploy")} == {"us-central1"}


def test_consumers_come_before_producers_at_each_step(released: Checkout) -> None:
    changes = released.must()
    assert [command[2] for command in those(changes, "run", "deploy")] == ORDER
    assert [command[3] for command in those(changes, *MOVE)] == ORDER


def test_the_first_revision_of_a_service_has_traffic_and_the_next_ones_are_candidates(checkout: Checkout) -> None:
    first = those(checkout.must(), "run", "deploy")
    assert all("--tag=candidate" in command and "--no-traffic" not in command for command in first)
    checkout.change_source()
    later = those(checkout.must(), "run", "deploy")
    assert all({"--tag=candidate", "--no-traffic"} <= set(command) for command in later)


def test_nothing_is_moved_before_all_candidates_have_answered(released: Checkout) -> None:
    released.must()
    calls = released.calls()
    moved = calls.index(those(calls, *MOVE)[0])
    tried = max(index for index, call in enumerate(calls) if call[:2] in (["run", "deploy"], ["logging", "read"]))
    assert tried < moved
    assert all("candidate" not in str(service) for service in released.cloud.services.values())


@pytest.mark.parametrize("broken", [ORDER[2], ORDER[6], ORDER[-1]])
def test_one_candidate_that_does_not_work_keeps_all_of_them_back(broken: str, released: Checkout) -> None:
    before = released.cloud.serving()
    released.cloud.calls.clear()
    released.cloud.broken = {broken}
    done = released.deploy()
    assert done.returncode == 1
    assert re.search(rf"deploy\.sh: nothing was released: {broken}-\w+-\d+ ", done.stderr)
    assert released.cloud.serving() == before
    assert len(those(released.calls(), "run", "deploy")) == len(ORDER)
    released.cloud.broken = set()
    changes = released.must()
    assert [command[3] for command in those(changes, *MOVE)] == ORDER


@pytest.mark.parametrize("failing", ["deploy", "trial", "gcloud", "person"])
def test_no_candidate_can_be_reached_after_a_release_that_failed(
    failing: str, released: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = released.cloud.serving()
    made = [*released.cloud.services]
    if failing == "deploy":
        released.cloud.failing = f"run deploy {ORDER[5]}"
        made = made[:5]
    elif failing == "trial":
        released.cloud.broken = {ORDER[-1]}
    elif failing == "gcloud":
        released.cloud.failing = "pubsub topics publish release-probe"
    else:
        monkeypatch.setattr(released.cloud, "deliver_probe", broken_off)
    done = released.deploy()
    assert done.returncode != 0
    assert "candidate" not in str(released.cloud.services)
    assert released.cloud.serving() == before
    assert f"taking their addresses from the new revisions of {', '.join(made)}\n" in done.stderr


def test_candidates_that_cannot_be_listed_after_a_failure_are_told_of(released: Checkout) -> None:
    usual = released.cloud.on_run_services_list

    def gone(command: Command) -> Any:
        if those(released.calls(), "run", "deploy"):
            raise NotThere
        return usual(command)

    released.cloud.calls.clear()
    released.cloud.__dict__["on_run_services_list"] = gone
    released.cloud.failing = f"run deploy {ORDER[5]}"
    done = released.deploy()
    assert done.returncode == 7
    assert "deploy.sh: new revisions may still have their addresses, see above\n" in done.stderr


def broken_off(*_: str) -> None:
    raise KeyboardInterrupt


def test_a_candidate_that_can_still_be_reached_is_named(released: Checkout) -> None:
    released.cloud.broken = {ORDER[-1]}
    released.cloud.failing = f"update-traffic {ORDER[4]}"
    done = released.deploy()
    assert done.returncode == 1
    assert f"deploy.sh: these still have theirs, see above: {ORDER[4]}\n" in done.stderr
    assert [name for name, one in released.cloud.services.items() if "candidate" in str(one)] == [ORDER[4]]
    assert f"deploy.sh: nothing was released: {ORDER[-1]}-" in done.stderr.splitlines()[-1]


def test_candidates_that_a_failed_run_could_not_hide_are_tried_and_released(
    released: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    released.cloud.failing = f"run deploy {ORDER[5]}"
    with monkeypatch.context() as patch:
        patch.setattr(released.cloud, "on_run_services_update_traffic", broken_off)
        assert released.deploy().returncode != 0
    released.cloud.failing = None
    changes = released.must()
    assert [command[2] for command in those(changes, "run", "deploy")] == ORDER[5:]
    assert [command[3] for command in those(changes, *MOVE)] == ORDER


def test_a_first_release_that_does_not_work_is_tried_again_and_then_recorded(checkout: Checkout) -> None:
    checkout.cloud.broken = {"get-output"}
    assert checkout.deploy().returncode == 1
    assert not any("/releases/" in name for name in checkout.cloud.objects)
    # What receives events gets none yet.
    assert those(checkout.calls(), "pubsub", "subscriptions", "create", "purge-job") == []
    assert checkout.deploy().returncode == 1, "it is not taken for released because it serves"
    checkout.cloud.broken = set()
    checkout.must()
    assert len(checkout.cloud.objects) == 1


@pytest.mark.parametrize("at", [0, 5, 10])
def test_a_failure_while_requests_are_moved_moves_all_back(at: int, released: Checkout) -> None:
    before = released.cloud.serving()
    released.cloud.calls.clear()
    # The last argument is what tells a new revision from one that is gone back to.
    released.cloud.failing = f"update-traffic {ORDER[at]} --region=us-central1"
    released.cloud.saying = "UNAVAILABLE"
    done = released.deploy()
    assert done.returncode == 7
    assert "not all requests could be moved to the new revisions: going back" in done.stderr
    assert released.cloud.serving() == before
    forth, back = ORDER[: at + 1], ORDER[at::-1]
    assert [command[3] for command in those(released.calls(), *MOVE)] == [*forth, *back]
    assert f"these did not go back, see above: {ORDER[at]}" in done.stderr
    released.cloud.failing = None
    released.must()
    assert all(released.cloud.serving()[name] != before[name] for name in ORDER)


def test_an_answer_that_is_lost_while_requests_are_moved_moves_all_back(released: Checkout) -> None:
    before = released.cloud.serving()
    released.cloud.lost = f"update-traffic {ORDER[3]}"
    assert released.deploy().returncode == 7
    assert released.cloud.serving() == before


def test_who_breaks_off_while_requests_are_moved_finds_all_as_it_was(released: Checkout) -> None:
    before = released.cloud.serving()
    usual, at = released.cloud.on_run_services_update_traffic, ORDER[4]

    def break_off(command: Command) -> None:
        usual(command)
        if command.named[0] == at and not released.cloud.failing:
            released.cloud.failing = "no such command"
            raise KeyboardInterrupt

    released.cloud.__dict__["on_run_services_update_traffic"] = break_off
    done = released.deploy()
    assert done.returncode == 1
    assert done.stderr.endswith("deploy.sh: broken off; run it again to go on\n")
    assert released.cloud.serving() == before


def test_what_was_shared_among_revisions_is_shared_again_after_a_failure(released: Checkout) -> None:
    status = released.cloud.services["purge-job"]["status"]
    (old,) = [one["revisionName"] for one in status["traffic"]]
    status["revisions"].append("purge-job-old")
    shared = [{"revisionName": old, "percent": 90}, {"revisionName": "purge-job-old", "percent": 10}]
    status["traffic"] = [*shared]
    released.cloud.lost = f"update-traffic {ORDER[-1]}"
    assert released.deploy().returncode == 7
    assert [one for one in status["traffic"] if one.get("percent")] == shared


def test_a_changed_setting_is_a_release_of_its_own(checkout: Checkout) -> None:
    checkout.must()
    changes = checkout.must(*REQUIRED, "--max-instances=7")
    assert len(those(changes, "run", "deploy")) == len(ORDER)
    assert those(changes, "builds", "submit") == []
    released = [json.loads(text) for name, text in checkout.cloud.objects.items() if "/releases/" in name]
    assert [one["id"] for one in released] == ["20261126100100", "20261126100200"]
    assert released[1]["revisions"] == checkout.cloud.serving()


def test_a_release_whose_record_was_lost_is_recorded_by_the_next_run(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.objects.clear()
    changes = checkout.must()
    # Nothing proves that these revisions were tried, so they are.
    *tries, record = changes
    assert {command[0] for command in tries} == {"pubsub"}
    assert record[:2] == ["storage", "cp"]
    assert len(checkout.cloud.objects) == 1
