from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import requests

from infra.functions import table
from infra.local.stack import PORT_NAMES, Stack, empty
from infra.stage import ROOT
from shared.settings import MOST_REQUESTS_PER_MINUTE, Settings
from tests.benchmarks import cost, load, rows, speed
from tests.benchmarks.metered import Operations
from tests.benchmarks.polling import unchanged
from tests.benchmarks.rows import Row
from tests.benchmarks.servers import Servers
from tests.benchmarks.signing import PAGE
from tests.unit.infra.watching.files import POLICIES

REACHED = Row(name="fast", ours=30, peer=10, limit=2.2, at_least=True)
SHORT = Row(name="slow", ours=30, peer=10, limit=1.15)


def test_a_row_that_is_short_is_written_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    assert rows.write([REACHED, SHORT], file) == "bench: 2 rows, 1 short"
    written = json.loads(file.read_text())
    assert [(row["name"], row["ratio"], row["ok"]) for row in written] == [("fast", 3, True), ("slow", 3, False)]
    assert "| slow | 30 | 10 | 3.00 | ≤ x 1.15 | short |" in speed.table(written)


@pytest.mark.parametrize(("ours", "ok"), [(90, True), (90.1, False)])
def test_without_a_peer_the_figure_itself_must_keep_within_the_limit(ours: float, ok: bool) -> None:
    assert Row(name="memory", ours=ours, limit=90).ok is ok


def test_the_middle_of_several_loads_is_taken_figure_by_figure() -> None:
    loads = [load.Load(rate, p50, 9, 9) for rate, p50 in ((10, 3), (30, 1), (20, 2))]
    assert load.middle(loads) == load.Load(20, 2, 9, 9)


def test_the_servers_that_are_measured_start_with_settings_that_are_taken() -> None:
    with empty(Stack, dict.fromkeys(PORT_NAMES, 1), output=print) as stack:
        settings = Settings.from_environment(Servers(stack).environment("demo-bench"))
    assert (settings.project, settings.requests_per_minute) == ("demo-bench", MOST_REQUESTS_PER_MINUTE)


class Polled:
    """Answers polls in full, except one with a tag that holds: 304."""

    def __init__(self, holding: str) -> None:
        self._holding = holding
        self.asked: list[str] = []

    def __call__(self, tag: str) -> requests.Response:
        self.asked.append(tag)
        answer = requests.Response()
        answer.status_code = 304 if tag == self._holding else 200
        answer.headers["ETag"] = "new"
        return answer


@pytest.mark.parametrize(("tag", "asked"), [("new", ["new"]), ("old", ["old", "new"])])
def test_a_poll_is_measured_by_its_304_also_right_after_its_urls_have_changed(tag: str, asked: list[str]) -> None:
    polled = Polled("new")
    assert unchanged(polled, tag) == "new"
    assert polled.asked == asked


def test_a_poll_that_is_always_answered_in_full_is_not_measured() -> None:
    with pytest.raises(AssertionError, match="in full, twice"):
        unchanged(Polled("nothing holds"), "old")


def test_the_costs_tell_small_loads_in_decimals_and_how_many_urls_a_page_has() -> None:
    actions = ("a page view", "a poll", "a look", "a job made", "a delete", "a share view", "a download")
    text = cost.text(dict.fromkeys((*actions, "an idle minute"), Operations(*[0.002] * 9)), {})
    loads = text.partition("busy vCPUs")[2].partition("\n\n")[0]
    assert "| 1,000 | 0.012 |" in loads
    assert "| 0 |" not in loads
    for costs in (text, cost.DOCUMENT.read_text()):
        assert f"| {len(PAGE)} calls for a first page of 20 completed jobs" in costs
        assert f"{60_000 // len(PAGE)} such pages a minute" in costs
    (row,) = [line for line in speed.DOCUMENT.read_text().splitlines() if "calls for a first page" in line]
    assert f" {len(PAGE)} | " in row


def test_the_page_of_costs_is_its_template_with_the_prices() -> None:
    page = cost.DOCUMENT.read_text()
    rows = cost.price_rows(tomllib.loads((cost.HERE / "prices.toml").read_text()))
    template = (cost.HERE / "cost_template.md").read_text().splitlines()
    fixed = [line for line in template if "{" not in line]
    assert [line for line in (*rows.splitlines(), *fixed) if line not in page.splitlines()] == []
    assert f"; {len(table().retried_topics)} pulls of dead letters" in page


def test_what_alerts_cost_idle_is_told_for_as_many_conditions_as_there_are() -> None:
    prices = tomllib.loads((cost.HERE / "prices.toml").read_text())
    number = sum(len(policy["conditions"]) for policy in POLICIES.values())
    monthly = number * prices["condition"]["dollars"] / prices["condition"]["per"]
    looks = 2 * 60 * 24 * cost.DAYS
    each = looks * prices["time_series"]["dollars"] / prices["time_series"]["per"]
    told = " ".join((ROOT / "docs/deploying.md").read_text().split())
    assert f"{number} conditions, ${monthly:.2f}, and what they read every 30 seconds, ${each:.2f}" in told
