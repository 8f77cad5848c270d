"""The alerting policies: what they watch, whom they notify, and that each is created only once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from google.cloud.monitoring_v3 import AlertPolicy

from infra.stage import ROOT
from shared.settings import dead_letters
from tests.unit.infra.deploy.checkout import REQUIRED, RETRIED, TOPICS, Checkout, Line, option, those

FILES = sorted((ROOT / "infra/cloud/alerts").glob("*.json"))
POLICIES = {file.stem: json.loads(file.read_text()) for file in FILES}
CREATE = ("alpha", "monitoring", "policies", "create")
UPDATE = ("alpha", "monitoring", "policies", "update")
CHANNELS = "projects/nuumee-test/notificationChannels/1,projects/nuumee-test/notificationChannels/22"


def condition(policy: str, kind: str) -> Any:
    """The only condition of a policy. It must be of this kind."""
    (only,) = POLICIES[policy]["conditions"]
    return only[kind]


def names() -> list[str]:
    return [policy["displayName"] for policy in POLICIES.values()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_cloud_monitoring_knows_every_field_and_value(file: Path) -> None:
    # Raises ParseError, which names the field. Neither deploy.sh nor gcloud's parser reads the file.
    AlertPolicy.from_json(file.read_text(), ignore_unknown_fields=False)


def test_each_policy_is_made_from_its_file(commands: list[Line]) -> None:
    made = [option(command, "--policy-from-file") for command in those(commands, *CREATE)]
    assert made == [str(file.relative_to(ROOT)) for file in FILES]


def test_a_policy_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len(set(names())) == len(FILES) == 4
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
    waiting = condition("dead-letters", "conditionThreshold")
    assert "pubsub.googleapis.com/subscription/oldest_unacked_message_age" in waiting["filter"]
    assert (waiting["comparison"], waiting["thresholdValue"]) == ("COMPARISON_GT", 600)
    (ending,) = re.findall(r'subscription_id = ends_with\("(.+?)"\)', waiting["filter"])
    names = [command[3] for command in those(commands, "pubsub", "subscriptions", "create")]
    kept = list(dict.fromkeys(dead_letters(TOPICS[function]) for function in RETRIED))
    assert [name for name in names if name.endswith(ending)] == kept


ABOUT_THE_LOG = ("decoder", "never")


def test_every_event_that_is_logged_as_an_error_raises_an_alert() -> None:
    sources = [file.read_text() for folder in ("functions", "shared") for file in (ROOT / folder).rglob("*.py")]
    logged = {event for source in sources for event in re.findall(r'\blog\.error\(\s*"(\w+)"', source)}
    filters = [condition(policy, "conditionMatchedLog")["filter"] for policy in ABOUT_THE_LOG]
    watched = [
        each for text in filters for each in re.findall(r'"(\w+)"', text.partition("jsonPayload.message=")[2])
    ]
    assert sorted(watched) == sorted(logged)
    assert all("severity>=ERROR" in text for text in filters)


@pytest.mark.parametrize("policy", ABOUT_THE_LOG)
def test_an_alert_about_the_log_does_not_come_with_every_line(policy: str) -> None:
    # Cloud Monitoring refuses a policy on logs without such a limit.
    assert POLICIES[policy]["alertStrategy"]["notificationRateLimit"] == {"period": "3600s"}


def test_ten_minutes_without_a_sweep_raise_an_alert() -> None:
    missing = condition("sweep", "conditionThreshold")
    assert (missing["comparison"], missing["thresholdValue"], missing["duration"]) == ("COMPARISON_LT", 1, "600s")
    # If no run succeeds, there may be points of zero, or no points at all.
    assert missing["evaluationMissingData"] == "EVALUATION_MISSING_DATA_ACTIVE"
    # Functions run on Cloud Run, where their names have hyphens instead of underscores.
    assert 'service_name = "sweep-purges"' in missing["filter"]
    assert 'response_code_class = "2xx"' in missing["filter"]
    # Each deploy creates a revision with its own counts, and those of the last one end.
    assert missing["aggregations"][0]["crossSeriesReducer"] == "REDUCE_SUM"
