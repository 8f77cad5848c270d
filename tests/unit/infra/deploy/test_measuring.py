"""Metrics from the log, checks from outside, and the dashboard: each is made once, and follows its file."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.cloud.deployment import Deployment
from infra.cloud.gcloud import Failed, Gcloud, Mode
from infra.cloud.measuring import CHECK_PREFIX, METRIC_PREFIX, Measuring
from infra.cloud.project import Project
from infra.functions import table
from infra.stage import ROOT
from tests.unit.infra.deploy.checkout import DEFAULTS, REQUIRED, Checkout, Line, option, those
from tests.unit.infra.deploy.cloud import Cloud
from tests.unit.infra.watching.files import DASHBOARD, FROM_LOG, UPTIME

METRIC = ("logging", "metrics")
CHECK = ("monitoring", "uptime")
DASH = ("monitoring", "dashboards")
POLICY = ("alpha", "monitoring", "policies")


class Measured:
    """A made-up cloud whose measures alone are made, from a copy of their files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cloud = Cloud()

    def make(self, **settings: str) -> list[Line]:
        """Returns the commands that changed something."""
        self.cloud.calls.clear()
        where = {
            "project": "nuumee-test",
            "region": "us-central1",
            "allowed_origins": "https://a.example,https://b",
        }
        gcloud = Gcloud("nuumee-test", Mode.RUN, self.cloud)
        Measuring(Project(gcloud, Deployment(**where, **settings), table(), self.root)).make()
        return self.cloud.changes()

    def check(self, name: str) -> dict[str, Any]:
        names = {one["displayName"]: one for one in self.cloud.checks.values()}
        return names[f"{CHECK_PREFIX}{name}"]


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measured:
    """After the first run."""
    shutil.copytree(
        ROOT / "infra/cloud", tmp_path / "infra/cloud", ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    (tmp_path / "build").mkdir()
    monkeypatch.chdir(tmp_path)
    made = Measured(tmp_path)
    made.make()
    return made


def test_each_file_is_made_and_metrics_come_before_the_alerts_that_read_them(commands: list[Line]) -> None:
    made = [(command[3], option(command, "--config-from-file")) for command in those(commands, *METRIC, "create")]
    assert made == [(name, f"infra/cloud/metrics/{name}.json") for name in sorted(FROM_LOG)]
    checks = those(commands, *CHECK, "create")
    assert [command[3] for command in checks] == ["nuumee-jobs-page", "nuumee-jobs-share"]
    (dashboard,) = those(commands, *DASH, "create")
    assert option(dashboard, "--config-from-file") == "infra/cloud/dashboard.json"
    last = max(index for index, command in enumerate(commands) if command[:3] == [*METRIC, "create"])
    assert last < commands.index(those(commands, *POLICY, "create")[0])


def test_what_is_there_as_its_file_says_stays_untouched(measured: Measured) -> None:
    assert measured.make() == []


def test_the_names_of_files_bear_the_mark_by_which_they_are_found_again() -> None:
    assert all(name.startswith(METRIC_PREFIX) for name in FROM_LOG)


def test_the_checks_ask_the_first_origin_of_the_page_and_that_of_share_links(measured: Measured) -> None:
    page, share = measured.check("page"), measured.check("share")
    assert page["monitoredResource"]["labels"] == {"host": "a.example", "project_id": "nuumee-test"}
    assert share["monitoredResource"]["labels"]["host"] == urlsplit(DEFAULTS.share_origin).hostname
    assert page["httpCheck"]["path"] == UPTIME["page"]["--path"]


def test_a_check_follows_a_host_that_moves(measured: Measured) -> None:
    changes = measured.make(share_origin="https://Links.example/")
    assert [command[:3] for command in changes] == [[*CHECK, "delete"], [*CHECK, "create"]]
    assert measured.check("share")["monitoredResource"]["labels"]["host"] == "links.example"
    assert measured.make(share_origin="https://Links.example/") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"period": "60s"},
        {"timeout": "60s"},
        {"contentMatchers": []},
        {"contentMatchers": [{"content": "Welcome"}]},
        {"monitoredResource": {"type": "gce_instance", "labels": {}}},
        {"httpCheck": {"useSsl": False}},
        {"httpCheck": {"validateSsl": False}},
        {"httpCheck": {"path": "/"}},
        {"httpCheck": {"acceptedResponseStatusCodes": [{"statusClass": "STATUS_CLASS_2XX"}]}},
    ],
    ids=str,
)
def test_a_check_that_differs_from_its_file_is_made_anew(changes: dict[str, Any], measured: Measured) -> None:
    there = measured.check("page")
    wanted, number = copy.deepcopy(there), there["name"]
    there.update({**changes, "httpCheck": {**there["httpCheck"], **changes.get("httpCheck", {})}})
    deleted, made = measured.make()
    assert deleted[:4] == [*CHECK, "delete", number]
    assert made[:4] == [*CHECK, "create", "nuumee-jobs-page"]
    assert {**measured.check("page"), "name": number} == wanted


def test_a_check_whose_making_failed_after_the_old_one_went_is_made_by_the_next_run(measured: Measured) -> None:
    measured.check("page")["period"] = "60s"
    measured.cloud.failing = "uptime create"
    with pytest.raises(Failed):
        measured.make()
    measured.cloud.failing = None
    (made,) = measured.make()
    assert made[:4] == [*CHECK, "create", "nuumee-jobs-page"]


@pytest.mark.parametrize("field", ["description", "filter", "valueExtractor", "bucketOptions"])
def test_a_metric_that_differs_from_its_file_is_updated(field: str, measured: Measured) -> None:
    name = "nuumee_jobs_oldest_pending_purge"
    wanted = copy.deepcopy(measured.cloud.metrics[name])
    del measured.cloud.metrics[name][field]
    (updated,) = measured.make()
    assert updated[:4] == [*METRIC, "update", name]
    assert measured.cloud.metrics[name] == wanted


def test_a_dashboard_that_differs_is_replaced_as_it_was_seen(measured: Measured) -> None:
    ((name, there),) = measured.cloud.dashboards.items()
    there["etag"] = "40"
    there["gridLayout"]["widgets"].pop()
    (updated,) = measured.make()
    assert updated[:4] == [*DASH, "update", name]
    # The made-up cloud refuses another etag.
    assert measured.cloud.dashboards == {name: {**DASHBOARD, "name": name, "etag": "41"}}
    assert measured.make() == []


def test_what_google_adds_to_a_dashboard_is_no_difference(measured: Measured) -> None:
    (there,) = measured.cloud.dashboards.values()
    for widget in there["gridLayout"]["widgets"]:
        widget["id"] = ""
        for data in widget.get("xyChart", {}).get("dataSets", ()):
            data["targetAxis"] = "Y1"
    assert measured.make() == []


def test_a_check_of_the_deployment_shows_what_differs_and_changes_nothing(checkout: Checkout) -> None:
    checkout.must()
    for there in checkout.cloud.checks.values():
        there["timeout"] = "1s"
    (dashboard,) = checkout.cloud.dashboards.values()
    dashboard["gridLayout"]["columns"] = "3"
    checkout.cloud.metrics.popitem()
    checkout.cloud.calls.clear()
    done = checkout.deploy("check", *REQUIRED)
    assert done.returncode == 1
    assert [line.split()[1:4] for line in done.stdout.splitlines()] == [
        [*METRIC, "create"],
        *[[*CHECK, "delete"], [*CHECK, "create"]] * 2,
        [*DASH, "update"],
    ]
    assert checkout.cloud.changes() == []


def test_an_alert_waits_ten_minutes_for_its_metric_and_the_next_run_goes_on(checkout: Checkout) -> None:
    checkout.cloud.new_metrics = 70
    done = checkout.deploy()
    assert done.returncode == 1
    # With a pause of ten seconds before each new attempt.
    assert done.stderr.count("waiting until gcloud alpha monitoring policies knows what is new") == 60
    assert checkout.cloud.new_metrics == 9
    changes = checkout.must()
    assert {tuple(command[:4]) for command in changes} == {(*POLICY, "create")}
    assert checkout.must() == []


def test_an_alert_that_reads_no_metric_of_ours_does_not_wait(checkout: Checkout) -> None:
    checkout.cloud.failing, checkout.cloud.saying = "alerts/backlog.json", "NOT_FOUND: no such channel"
    done = checkout.deploy()
    assert done.returncode == 7
    assert "waiting" not in done.stderr
