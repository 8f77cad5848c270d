"""The alerting policies: that every error raises one, whom they notify, and that each is created only once.

What their queries watch is in tests/unit/infra/watching/test_policies.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from google.cloud.monitoring_v3 import AlertPolicy

from infra.stage import ROOT
from shared.settings import dead_letters
from tests.unit.infra.deploy.checkout import REQUIRED, RETRIED, TOPICS, Checkout, Line, option, those
from tests.unit.infra.watching.events import errors
from tests.unit.infra.watching.files import POLICIES, conditions, watched_events

FILES = sorted((ROOT / "infra/cloud/alerts").glob("*.json"))
WITHOUT_AN_ALERT = {
    "sweep_incomplete": "the next sweep does the rest; if none succeeds, every-minute.json raises one",
    "sweep_part_failed": "sweep_incomplete follows",
}
"""Events that are logged as errors and raise no alert, and why."""
CREATE = ("alpha", "monitoring", "policies", "create")
UPDATE = ("alpha", "monitoring", "policies", "update")
CHANNELS = "projects/nuumee-test/notificationChannels/1,projects/nuumee-test/notificationChannels/22"


def names() -> list[str]:
    return [POLICIES[file.stem]["displayName"] for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_cloud_monitoring_knows_every_field_and_value(file: Path) -> None:
    # Raises ParseError, which names the field. Neither deploy.sh nor gcloud's parser reads the file.
    AlertPolicy.from_json(file.read_text(), ignore_unknown_fields=False)


def test_each_policy_is_made_from_its_file(commands: list[Line]) -> None:
    made = [option(command, "--policy-from-file") for command in those(commands, *CREATE)]
    assert made == [str(file.relative_to(ROOT)) for file in FILES]


def test_a_policy_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len(set(names())) == len(FILES)
    assert all(policy["documentation"]["content"] for policy in POLICIES.values())


def test_by_default_incidents_show_in_the_console_alone(commands: list[Line]) -> None:
    assert "--notification-channels" not in " ".join(word for command in commands for word in command)


def test_the_channels_hear_of_every_policy(checkout: Checkout) -> None:
    made = those(checkout.commands(*REQUIRED, f"--alert-channels={CHANNELS}"), *CREATE)
    assert [option(command, "--notification-channels") for command in made] == [CHANNELS] * len(FILES)


def test_channels_that_are_set_later_hear_of_every_policy_too(checkout: Checkout) -> None:
    checkout.must()
    updated = checkout.must(*REQUIRED, f"--alert-channels={CHANNELS}")
    assert {tuple(command[:4]) for command in updated} == {UPDATE}
    assert [option(command, "--set-notification-channels") for command in updated] == [CHANNELS] * len(FILES)
    assert checkout.must(*REQUIRED, f"--alert-channels={CHANNELS}") == []
    assert checkout.must() == [], "channels stay where none are set"


def test_a_policy_that_differs_from_its_file_is_updated_and_keeps_its_channels(checkout: Checkout) -> None:
    checkout.must(*REQUIRED, f"--alert-channels={CHANNELS}")
    changed = next(policy for policy in checkout.cloud.alerts.values() if policy["displayName"] == names()[0])
    wanted = json.loads(json.dumps(changed))
    changed["conditions"][0]["conditionThreshold"]["thresholdValue"] = 601
    (updated,) = checkout.must()
    assert updated[:5] == [*UPDATE, changed["name"]]
    assert option(updated, "--policy-from-file") == str(FILES[0].relative_to(ROOT))
    assert changed == wanted


def test_a_policy_with_a_label_that_its_file_no_longer_has_is_updated(checkout: Checkout) -> None:
    checkout.must()
    (name,) = [name for name in names() if name.endswith("a job has stalled")]
    changed = next(policy for policy in checkout.cloud.alerts.values() if policy["displayName"] == name)
    changed["conditions"][0]["conditionMatchedLog"]["labelExtractors"] = {"job": "EXTRACT(jsonPayload.job_id)"}
    (updated,) = checkout.must()
    assert updated[:5] == [*UPDATE, changed["name"]]
    assert checkout.must() == []


def test_what_google_adds_to_a_policy_or_leaves_out_of_it_is_no_difference(checkout: Checkout) -> None:
    checkout.must()
    for policy in checkout.cloud.alerts.values():
        policy["creationRecord"] = {"mutateTime": "2026-11-26T10:00:00Z"}
        for number, one in enumerate(policy["conditions"]):
            one["name"] = f"{policy['name']}/conditions/{number}"
            if one.get("conditionThreshold", {}).get("duration") == "0s":
                del one["conditionThreshold"]["duration"]
    assert checkout.must() == []


@pytest.mark.parametrize("like", ["{} too", "Not {}"])
def test_a_policy_whose_name_is_like_it_is_another(like: str, checkout: Checkout) -> None:
    for number, name in enumerate(names()):
        policy = f"projects/nuumee-test/alertPolicies/old{number}"
        checkout.cloud.alerts[policy] = {"name": policy, "displayName": like.format(name)}
    assert len(those(checkout.must(), *CREATE)) == len(FILES)


def test_dead_letters_that_wait_for_ten_minutes_raise_an_alert(commands: list[Line]) -> None:
    (waiting,) = conditions("conditionThreshold")["dead-letters"]
    assert "pubsub.googleapis.com/subscription/oldest_unacked_message_age" in waiting["filter"]
    assert (waiting["comparison"], waiting["thresholdValue"]) == ("COMPARISON_GT", 600)
    (ending,) = re.findall(r'subscription_id = ends_with\("(.+?)"\)', waiting["filter"])
    names = [command[3] for command in those(commands, "pubsub", "subscriptions", "create")]
    kept = list(dict.fromkeys(dead_letters(TOPICS[function]) for function in RETRIED))
    assert [name for name in names if name.endswith(ending)] == kept


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
