"""The runbook: a section for each alert, and links that lead somewhere."""

from __future__ import annotations

import re

import pytest

from infra.stage import ROOT
from tests.unit.infra.watching.events import all_logged
from tests.unit.infra.watching.files import POLICIES, watched_events
from tests.unit.infra.watching.runbook import RUNBOOK, commands, sections, slug


@pytest.mark.parametrize("policy", POLICIES)
def test_an_alert_leads_to_its_section(policy: str) -> None:
    name = POLICIES[policy]["displayName"].removeprefix("NuuMee Jobs: ")
    content = POLICIES[policy]["documentation"]["content"]
    assert re.findall(r"docs/runbook\.md#(\S+)", content) == [slug(name)]
    section = sections()[slug(name)]
    assert "**Symptom.**" in section
    assert "```" in section  # what to check
    assert [event for event in watched_events().get(policy, ()) if f"`{event}`" not in section] == []


def test_every_section_is_an_alerts() -> None:
    alerts = {slug(policy["displayName"].removeprefix("NuuMee Jobs: ")) for policy in POLICIES.values()}
    assert sections().keys() == {"where-to-look", *alerts}


def test_the_events_and_fields_that_it_looks_for_are_logged() -> None:
    logged = all_logged()
    events = {*re.findall(r'jsonPayload\.message="([a-z_]+)"', RUNBOOK)}
    assert events
    assert events <= {one.event for one in logged}
    fields = {*re.findall(r"jsonPayload\.([a-z_]+)", RUNBOOK)} - {"message", "message_id", "stack_trace"}
    assert fields <= {field for one in logged for field in one.fields}


def test_the_events_that_the_page_about_deploying_says_raise_alerts_do() -> None:
    told = sections((ROOT / "docs/deploying.md").read_text())["alerts-and-dead-letters"]
    among = told.partition("Among them:")[2].partition("\n\nAn alert that differs")[0]
    said = {*re.findall("`([a-z]+(?:_[a-z]+)+)`", among)}
    assert len(said) > 3
    assert said - set().union(*watched_events().values()) == set()


def test_its_links_lead_somewhere() -> None:
    for target, anchor in re.findall(r"\]\((?!https:)([^)#]*)#?([^)]*)\)", RUNBOOK):
        file = ROOT / "docs" / target if target else ROOT / "docs/runbook.md"
        assert anchor in sections(file.read_text())


def test_its_commands_are_found() -> None:
    assert len(commands()) > 20
    assert all(command.startswith("gcloud ") and "\\" not in command for command in commands())


def test_whoever_is_to_deploy_is_told_that_this_releases_what_the_checkout_has() -> None:
    told = sections()["where-to-look"]
    assert "also releases what the checkout has" in told
    assert "`release`" in told
    others = "\n\n".join(text for name, text in sections().items() if name != "where-to-look")
    deploying = [one for one in others.split("\n\n") if re.search(r"`\./deploy\.sh`|\band deploy\b", one)]
    assert len(deploying) > 5
    assert [one for one in deploying if "](#where-to-look)" not in one] == []


def test_no_command_serves_whatever_revision_is_the_latest() -> None:
    assert [command for command in commands() if "--to-latest" in command] == []


def test_an_instance_that_is_kept_ready_is_given_up_again() -> None:
    kept = [command for command in commands() if "--min=1" in command]
    assert kept
    assert {command.replace("--min=1", "--min=default") for command in kept} <= {*commands()}
