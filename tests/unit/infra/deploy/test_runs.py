"""Whole runs: dry, from empty, again, half-made, lagging, and failing at each step."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from infra.stage import ROOT
from tests.unit.infra.deploy.checkout import REQUIRED, Checkout, Line, make, those
from tests.unit.infra.deploy.cloud import Cloud


def state(cloud: Cloud) -> Any:
    """What is there, but for the names of revisions."""
    own = ("calls", "requests", "logs", "failing", "saying", "lost", "lags", "building", "new_metrics")
    text = json.dumps({name: part for name, part in vars(cloud).items() if name not in own}, default=sorted)
    return json.loads(re.sub(r"\d{14}|\d{4}-\d\d-\d\d[tT]\d\d-\d\d-\d\d[zZ]", "TIME", text))


def without_revisions(there: dict[str, Any]) -> dict[str, Any]:
    """A failed release may leave revisions without traffic behind."""
    services = {
        name: [one["percent"] for one in service["status"]["traffic"] if one.get("percent")]
        for name, service in there["services"].items()
    }
    return {**there, "services": services, "objects": len(there["objects"]) > 0}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Line], Any]:
    """The changes of a run on an empty project, and what is there after it."""
    checkout = make(tmp_path_factory.mktemp("made"))
    return checkout.must(), state(checkout.cloud)


KINDS = (
    *(
        "services enable",
        "iam service-accounts create",
        "iam roles create",
        "firestore databases create",
        "storage buckets create",
    ),
    *("storage buckets update", "firestore indexes composite create", "firestore fields ttls update"),
    *("pubsub topics create", "pubsub subscriptions create", "secrets create", "storage hmac create"),
    *(
        "projects add-iam-policy-binding",
        "storage buckets add-iam-policy-binding",
        "artifacts repositories create",
    ),
    *("pubsub topics add-iam-policy-binding", "pubsub subscriptions add-iam-policy-binding", "builds submit"),
    *("secrets add-iam-policy-binding", "artifacts repositories set-cleanup-policies", "run deploy"),
    *("run services add-iam-policy-binding", "pubsub topics publish", "run services update-traffic"),
    *("storage cp", "storage buckets notifications create", "scheduler jobs create"),
    "storage service-agent",
    *("logging metrics create", "monitoring uptime create", "monitoring dashboards create"),
    "alpha monitoring policies create",
)


def test_a_dry_run_calls_and_changes_nothing(whole_checkout: Checkout) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole_checkout.root.rglob("*")}
    whole_checkout.commands()
    assert (whole_checkout.calls(), whole_checkout.cloud.requests) == ([], [])
    assert {path: path.stat().st_mtime_ns for path in whole_checkout.root.rglob("*")} == before


@pytest.mark.parametrize("kind", ["checkout", "whole_checkout"])
def test_no_file_of_a_checkout_is_one_of_the_source(request: pytest.FixtureRequest, kind: str) -> None:
    root = request.getfixturevalue(kind).root
    files = [*root.rglob("*"), *root.glob("infra/*")]
    assert {path.name for path in files} >= {"functions.toml", "cloud", "errors.py"}
    assert [path for path in files if path.resolve().is_relative_to(ROOT)] == []


def test_a_dry_run_says_what_goes_without_gcloud(checkout: Checkout) -> None:
    told = [line for line in checkout.deploy("--dry-run", *REQUIRED).stderr.splitlines() if "would also" in line]
    assert told == [
        "deploy.sh: would also publish infra/cloud/firestore.rules, unless it is so",
        "deploy.sh: would also add Firebase to the project, unless it is so",
        "deploy.sh: would also make the web app NuuMee Jobs, unless it is so",
        "deploy.sh: would also make the site nuumee-test of Firebase Hosting, unless it is so",
        "deploy.sh: would also let users sign in on a.example, b.example, unless it is so",
    ]


def test_a_run_on_an_empty_project_does_what_a_dry_run_prints(checkout: Checkout, commands: list[Line]) -> None:
    unknown = re.compile(r"-[0-9a-f]{10}-\d{14}|\d{14}|[0-9a-f]{10}-TIME|(python3\.\d+)-\w+|sha256:\w+")

    def known(command: Line) -> str:
        """A command without what a dry run cannot know, or that changes from run to run."""
        text = re.sub(r"\d{4}-\d\d-\d\d[tT]\d\d[:-]\d\d[:-]\d\d[zZ]", "TIME", " ".join(command))
        text = re.sub(r"https://(candidate---)?(URL_OF_)?([a-z-]+)(\.run\.app)?(?=[/ ])", r"https://\1\3", text)
        text = text.replace("PROJECT_NUMBER", "123456").replace("-REVISION", "-1").replace("=REVISION", "=1")
        return re.sub(r"(--revision-suffix=)\S+", r"\1R", unknown.sub("-1", text).replace("DIGEST", "1"))

    assert checkout.deploy().returncode == 0
    done = [known(command) for command in checkout.calls()]
    printed = [known(command) for command in commands]
    assert done == printed


def test_a_second_run_changes_nothing(checkout: Checkout) -> None:
    checkout.must()
    assert checkout.must() == []
    done = checkout.deploy("check", *REQUIRED)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_failures_below_are_of_every_kind_of_change(made: tuple[list[Line], Any]) -> None:
    lines = [" ".join(command) for command in made[0]]
    unnamed = [line for line in lines if not line.startswith(KINDS)]
    # Keeping a key that was made has tests of its own. A probe that stays is taken away by the next run.
    assert {" ".join(line.split()[:3]) for line in unnamed} == {
        "secrets versions add",
        "pubsub subscriptions delete",
    }
    assert all(any(line.startswith(kind) for line in lines) for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_fails_at_a_step_ends_there_and_can_be_repeated(
    kind: str, checkout: Checkout, made: tuple[list[Line], Any]
) -> None:
    last = [" ".join(command) for command in made[0] if " ".join(command).startswith(kind)][-1]
    # The names of revisions differ from run to run.
    failing = re.split(r"[0-9a-f]{10}-\d{14}|probe=\d{14}|_/releases|releases/", last)[0]
    checkout.cloud.failing, checkout.cloud.saying = failing, "PERMISSION_DENIED"
    done = checkout.deploy()
    assert done.returncode == 7
    assert "PERMISSION_DENIED" in done.stderr
    after = checkout.calls()[[" ".join(call).startswith(failing) for call in checkout.calls()].index(True) + 1 :]
    # All that comes after it looks for candidates, puts back or takes away.
    assert {tuple(call[:3]) for call in after} <= {
        ("run", "services", "list"),
        ("run", "services", "update-traffic"),
        ("pubsub", "subscriptions", "delete"),
    }
    checkout.cloud.failing = None
    checkout.must()
    assert without_revisions(state(checkout.cloud)) == without_revisions(made[1])
    assert checkout.must() == []


@pytest.mark.parametrize(
    "command",
    [
        "projects describe",
        "services list",
        "projects add-iam-policy-binding",
        "storage buckets add-iam-policy-binding gs://nuumee-outputs",
        "secrets add-iam-policy-binding",
        "pubsub topics add-iam-policy-binding job-deleted",
        "run services add-iam-policy-binding purge-job",
        "run deploy purge-job",
        "builds submit",
        "firestore databases describe",
        "storage buckets describe gs://nuumee-images",
        "iam service-accounts create list-jobs",
        "iam roles describe nuumeeJobsRemover",
        "iam roles create nuumeeJobsRemover",
        "pubsub topics create job-deleted-dead-letters",
        "pubsub subscriptions create purge-job",
        "secrets versions list",
        "storage hmac create",
        "secrets versions add",
        "storage buckets notifications list gs://nuumee-images",
        "alpha monitoring policies list",
        "logging metrics list",
        "monitoring dashboards list",
        "monitoring uptime list-configs",
        "logging read",
    ],
)
def test_what_is_not_known_everywhere_yet_is_waited_for(command: str, checkout: Checkout) -> None:
    checkout.cloud.lags = {command: 2}
    done = checkout.deploy()
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("deploy.sh: waiting until gcloud ") == 2
    repeated = [call for call in checkout.calls() if " ".join(call).startswith(command)]
    assert repeated[0] == repeated[1] == repeated[2]


def test_what_never_becomes_known_ends_the_run_with_the_code_of_gcloud(checkout: Checkout) -> None:
    checkout.cloud.lags = {"projects add-iam-policy-binding": 1000}
    done = checkout.deploy()
    assert done.returncode == 1
    assert "Service account a does not exist" in done.stderr
    assert those(checkout.calls(), "run", "deploy") == []


def test_indexes_are_waited_for_before_a_function_needs_them(checkout: Checkout) -> None:
    checkout.cloud.building = 3
    done = checkout.deploy()
    assert done.returncode == 0
    assert done.stderr.count("waiting until the indexes of Firestore are built") == 2
    lists = those(checkout.calls(), "firestore", "indexes", "composite", "list")
    first = those(checkout.calls(), "run", "deploy")[0]
    assert len(lists) == 4
    assert max(index for index, call in enumerate(checkout.calls()) if call in lists) < checkout.calls().index(
        first
    )


def test_indexes_that_are_never_built_end_the_run_before_anything_is_released(checkout: Checkout) -> None:
    checkout.cloud.building = 10_000
    done = checkout.deploy()
    assert done.returncode == 2
    assert "the indexes of Firestore are not built yet: run deploy.sh again later" in done.stderr
    assert checkout.cloud.services == {}


def test_functions_that_cannot_be_staged_end_the_run_before_anything_is_built(checkout: Checkout) -> None:
    (checkout.root / "requirements.txt").unlink()
    done = checkout.deploy()
    assert done.returncode == 2
    assert "requirements.txt" in done.stderr
    assert (checkout.cloud.images, checkout.cloud.services) == ({}, {})


def test_functions_of_an_earlier_deployment_must_be_detached_first(checkout: Checkout) -> None:
    checkout.cloud.functions = ["list_jobs", "purge_job", "somebody_elses"]
    checkout.cloud.enabled = {"cloudfunctions.googleapis.com"}
    done = checkout.deploy()
    assert done.returncode == 2
    assert "gcloud functions detach list_jobs --region=us-central1 --project=nuumee-test\n" in done.stderr
    assert "gcloud functions detach purge_job --region=us-central1 --project=nuumee-test\n" in done.stderr
    assert "somebody_elses" not in done.stderr
    assert [call[:2] for call in checkout.cloud.changes()] == [["services", "enable"]]
    checkout.cloud.functions = ["somebody_elses"]
    checkout.must()


def test_the_script_runs_gcloud_with_its_exit_code_and_without_our_python_path(whole_checkout: Checkout) -> None:
    done = whole_checkout.run(*REQUIRED, FAILING="services list")
    assert done.returncode == 7
    assert done.stderr.splitlines()[-1] == "ERROR: refused"
    assert whole_checkout.recorded()[0][:2] == ["services", "list"]
    environment = (whole_checkout.path / "gcloud.environment").read_text()
    assert "PYTHON" not in environment, "gcloud's own Python would read it"


def test_a_table_that_makes_no_sense_stops_the_run_before_its_first_command(whole_checkout: Checkout) -> None:
    file = whole_checkout.root / "infra/functions.toml"
    file.write_text(file.read_text().replace('"512Mi"', '"plenty"'))
    done = whole_checkout.run(*REQUIRED)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "infra/functions.toml: defaults has memory = 'plenty', which is not a size such as 512Mi\n"
    )
    assert whole_checkout.recorded() == []


def test_a_python_that_is_too_old_is_named(whole_checkout: Checkout) -> None:
    (whole_checkout.path / "python3").unlink()
    answer = "[[ $1 == --version ]] && echo Python 3.9.2 || exit 1"
    (whole_checkout.path / "python3").write_text(f"#!{whole_checkout.path}/bash\n{answer}\n")
    (whole_checkout.path / "python3").chmod(0o755)
    done = whole_checkout.run(*REQUIRED)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "deploy.sh: Python 3.11 or newer is needed, and python3 is Python 3.9.2\n"
    assert whole_checkout.recorded() == []


@pytest.mark.parametrize("tool", ["gcloud", "python3"])
def test_a_tool_that_is_not_there_is_named(tool: str, whole_checkout: Checkout) -> None:
    (whole_checkout.path / tool).unlink()
    done = whole_checkout.run(*REQUIRED)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tool} is not installed" in done.stderr


def test_the_script_can_be_started() -> None:
    assert os.access(ROOT / "deploy.sh", os.X_OK)
    assert Path(ROOT / "deploy.sh").read_text().startswith("#!/usr/bin/env bash")
