"""The alerting policies: that every error raises one, whom they notify, and that each is created only once.

What their queries watch is in tests/unit/infra/watching/test_policies.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.cloud.monitoring_v3 import AlertPolicy

from infra.stage import ROOT
from shared.settings import dead_letters
from tests.unit.infra.deploy.checkout import REQUIRED, RETRIED, TOPICS, Checkout, Command, option, those
from tests.unit.infra.watching.events import errors
from tests.unit.infra.watching.files import POLICIES, conditions, watched_events

FILES = sorted((ROOT / "infra/cloud/alerts").glob("*.json"))
WITHOUT_AN_ALERT = {
    "purge_not_closed": "it follows purge_without_deletion, of the same job, which raises one",
    "sweep_incomplete": "the next sweep does the rest; if none succeeds, every-minute.json raises one",
    "sweep_part_failed": "sweep_incomplete follows",
}
"""Events that are logged as errors and raise no alert, and why."""
CREATE = ("alpha", "monitoring", "policies", "create")
UPDATE = ("alpha", "monitoring", "policies", "update")
CHANNELS = "projects/nuumee-test/notificationChannels/1,projects/nuumee-test/notificationChannels/22"


def names() -> list[str]:
    return [POLICIES[file.stem]["displayName"] for file in FILES]


def there(*names: str) -> str:
    """What gcloud prints if policies with these names exist."""
    return "\n".join(f"projects/nuumee-test/alertPolicies/{number}\t{name}" for number, name in enumerate(names))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_cloud_monitoring_knows_every_field_and_value(file: Path) -> None:
    # Raises ParseError, which names the field. Neither deploy.sh nor gcloud's parser reads the file.
    AlertPolicy.from_json(file.read_text(), ignore_unknown_fields=False)


def test_each_policy_is_made_from_its_file(commands: list[Command]) -> None:
    made = [option(command, "--policy-from-file") for command in those(commands, *CREATE)]
    assert made == [str(file.relative_to(ROOT)) for file in FILES]


def test_a_policy_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len(set(names())) == len(FILES)
    assert all(policy["documentation"]["content"] for policy in POLICIES.values())


def test_by_default_incidents_show_in_the_console_alone(commands: list[Command]) -> None:
    assert "--notification-channels" not in " ".join(word for command in commands for word in command)


def test_the_channels_hear_of_every_policy(checkout: Checkout) -> None:
    made = those(checkout.commands(*REQUIRED, f"--alert-channels={CHANNELS}"), *CREATE)
    assert [option(command, "--notification-channels") for command in made] == [CHANNELS] * len(FILES)


def test_channels_that_are_set_later_hear_of_every_policy_too(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, f"--alert-channels={CHANNELS}", policies=there("Somebody else's", *names()))
    assert done.returncode == 0, done.stderr
    updated = those(checkout.calls(), *UPDATE)
    numbers = range(1, len(FILES) + 1)
    assert [command[4] for command in updated] == [f"projects/nuumee-test/alertPolicies/{n}" for n in numbers]
    assert [option(command, "--set-notification-channels") for command in updated] == [CHANNELS] * len(FILES)
    assert those(checkout.calls(), *CREATE) == []


def test_policies_that_are_there_are_not_made_twice(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, policies=there("Somebody else's", *names()))
    assert done.returncode == 0, done.stderr
    assert those(checkout.calls(), "alpha", "monitoring", "policies", "list")
    assert those(checkout.calls(), *CREATE) == []
    assert those(checkout.calls(), *UPDATE) == []


@pytest.mark.parametrize("like", ["{} too", "Not {}"])
def test_a_policy_whose_name_is_like_it_is_another(like: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, policies=there(*(like.format(name) for name in names())))
    assert done.returncode == 0, done.stderr
    assert len(those(checkout.calls(), *CREATE)) == len(FILES)


def test_dead_letters_that_wait_for_ten_minutes_raise_an_alert(commands: list[Command]) -> None:
    (waiting,) = conditions("conditionThreshold")["dead-letters"]
    assert "pubsub.googleapis.com/subscription/oldest_unacked_message_age" in waiting["filter"]
    assert (waiting["comparison"], waiting["thresholdValue"]) == ("COMPARISON_GT", 600)
    (ending,) = re.findall(r'subscription_id = ends_with\("(.+?)"\)', waiting["filter"])
    kept = [command[3] for command in those(commands, "pubsub", "subscriptions", "create")]
    assert kept == list(dict.fromkeys(dead_letters(TOPICS[function]) for function in RETRIED))
    assert all(name.endswith(ending) for name in kept)


def test_every_event_that_is_logged_as_an_error_raises_an_alert() -> None:
    watched = {event for events in watched_events().values() for event in events}
    assert watched & WITHOUT_AN_ALERT.keys() == set()
    # What an alert waits for is logged, too: otherwise it would wait for ever.
    assert sorted({*watched, *WITHOUT_AN_ALERT}) == sorted(errors())


def test_no_event_raises_two_alerts() -> None:
    watched = [event for events in watched_events().values() for event in events]
    assert len(watched) == len({*watched})


@pytest.mark.parametrize("policy", watched_events())
def test_an_alert_about_the_log_comes_for_errors_alone_and_not_with_every_line(policy: str) -> None:
    (log,) = conditions("conditionMatchedLog")[policy]
    assert "severity>=ERROR" in log["filter"]
    # Cloud Monitoring refuses a policy on logs without such a limit.
    assert POLICIES[policy]["alertStrategy"]["notificationRateLimit"] == {"period": "3600s"}
