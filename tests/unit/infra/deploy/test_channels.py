"""Mails about alerts: one channel for the address of the settings, which hears of every policy."""

from __future__ import annotations

import pytest

from tests.unit.infra.deploy.checkout import REQUIRED, Checkout, Line, option, those
from tests.unit.infra.deploy.test_alerts import CHANNELS, CREATE, FILES, UPDATE

MAILED = (*REQUIRED, "--alert-email=ops+jobs@a.example")
NAME = "projects/nuumee-test/notificationChannels/901"
MAKE = ("beta", "monitoring", "channels", "create")


def heard(checkout: Checkout) -> list[list[str]]:
    return [policy.get("notificationChannels", []) for policy in checkout.cloud.alerts.values()]


def test_without_an_address_no_channel_is_made(commands: list[Line]) -> None:
    assert those(commands, *MAKE) == []


def test_a_channel_is_made_for_the_address_and_hears_of_every_policy(checkout: Checkout) -> None:
    checkout.must(*MAILED)
    (channel,) = checkout.cloud.channels.values()
    assert (channel["type"], channel["labels"]) == ("email", {"email_address": "ops+jobs@a.example"})
    assert heard(checkout) == [[NAME]] * len(FILES)
    assert checkout.must(*MAILED) == []


def test_a_dry_run_shows_the_channel_before_the_policies_that_name_it(checkout: Checkout) -> None:
    commands = checkout.commands(*MAILED)
    (made,) = those(commands, *MAKE)
    policies = those(commands, *CREATE)
    assert commands.index(made) < commands.index(policies[0])
    named = {option(policy, "--notification-channels") for policy in policies}
    assert named == {"projects/nuumee-test/notificationChannels/CHANNEL"}


def test_an_address_that_is_set_later_is_heard_beside_the_channels_that_are_named(checkout: Checkout) -> None:
    checkout.must(*REQUIRED, f"--alert-channels={CHANNELS}")
    made, *updated = checkout.must(*MAILED, f"--alert-channels={CHANNELS}")
    assert tuple(made[:4]) == MAKE
    assert {tuple(command[:4]) for command in updated} == {UPDATE}
    assert heard(checkout) == [[*CHANNELS.split(","), NAME]] * len(FILES)


def test_another_address_gets_a_channel_of_its_own_and_a_check_names_the_old_one(checkout: Checkout) -> None:
    checkout.must(*MAILED)
    changed = (*REQUIRED, "--alert-email=new@a.example")
    checkout.must(*changed)
    assert heard(checkout) == [["projects/nuumee-test/notificationChannels/902"]] * len(FILES)
    checkout.answers = ["yes"]
    done = checkout.deploy("check", *changed, "--prune")
    left = "no longer in the data: notification channel NuuMee Jobs to ops+jobs@a.example\n"
    assert (done.returncode, done.stdout) == (0, left)
    assert [*checkout.cloud.channels] == ["projects/nuumee-test/notificationChannels/902"]


def test_a_channel_of_somebody_else_with_that_name_is_another(checkout: Checkout) -> None:
    theirs = {"name": "theirs", "displayName": "NuuMee Jobs to ops+jobs@a.example"}
    checkout.cloud.channels["theirs"] = theirs
    checkout.must(*MAILED)
    assert heard(checkout) == [["projects/nuumee-test/notificationChannels/902"]] * len(FILES)


@pytest.mark.parametrize(("times", "code"), [(2, 0), (1000, 2)])
def test_a_channel_that_is_not_listed_yet_is_waited_for(times: int, code: int, checkout: Checkout) -> None:
    checkout.cloud.new_channels = times
    done = checkout.deploy(*MAILED)
    assert done.returncode == code
    assert "waiting until the notification channel can be found" in done.stderr
    assert ("was made and cannot be found: run deploy.sh again later" in done.stderr) == bool(code)
    checkout.cloud.new_channels = 0
    checkout.must(*MAILED)
    assert len(checkout.cloud.channels) == 1


def test_without_its_channel_no_policy_is_made_until_the_run_is_repeated(checkout: Checkout) -> None:
    checkout.cloud.failing = " ".join(MAKE)
    assert checkout.deploy(*MAILED).returncode == 7
    assert checkout.cloud.alerts == {}
    checkout.cloud.failing = None
    checkout.must(*MAILED)
    assert heard(checkout) == [[NAME]] * len(FILES)


def test_a_check_names_the_channel_that_is_missing_and_makes_none(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.calls.clear()
    done = checkout.deploy("check", *MAILED)
    assert (done.returncode, checkout.cloud.changes()) == (1, [])
    assert done.stdout.startswith(f"gcloud {' '.join(MAKE)} '--display-name=NuuMee Jobs to ops+jobs@a.example' ")
    assert done.stdout.count(
        "--set-notification-channels=projects/nuumee-test/notificationChannels/CHANNEL"
    ) == len(FILES)
