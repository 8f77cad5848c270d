"""Dry runs, runs, and failures that stop a run."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from infra.stage import ROOT
from tests.unit.infra.deploy.checkout import (
    DEFAULTS,
    FUNCTIONS,
    HMAC_KEY,
    PLACEHOLDERS,
    REQUIRED,
    Checkout,
    Command,
)


def test_a_dry_run_calls_and_changes_nothing(checkout: Checkout) -> None:
    before = {path: path.stat().st_mtime_ns for path in checkout.root.rglob("*")}
    checkout.commands()
    assert checkout.calls() == []
    assert {path: path.stat().st_mtime_ns for path in checkout.root.rglob("*")} == before


@pytest.mark.slow  # starts bash for each command
def test_a_run_does_what_a_dry_run_prints(checkout: Checkout, commands: list[Command]) -> None:
    printed = commands
    done = checkout.run(*REQUIRED)
    assert done.returncode == 0, done.stderr
    filled = re.compile("|".join(PLACEHOLDERS))
    assert checkout.recorded() == [
        [filled.sub(lambda found: PLACEHOLDERS[found[0]], word) for word in command] for command in printed
    ]
    for function in FUNCTIONS:
        assert function in (checkout.root / "build" / function / "main.py").read_text()
    secret = HMAC_KEY.partition(":")[2]
    assert checkout.stored_secret() == HMAC_KEY
    assert secret not in done.stdout + done.stderr + str(checkout.recorded())
    environment = (checkout.path / "gcloud.environment").read_text()
    assert "CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1" in environment.split()
    assert "PYTHON" not in environment, "gcloud's own Python would read it"


def test_the_exit_code_of_gcloud_is_that_of_the_script(checkout: Checkout) -> None:
    done = checkout.run(*REQUIRED, FAILING="services enable")
    assert done.returncode == 7
    assert done.stderr.splitlines()[-1] == "ERROR: refused"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "pubsub topics create",
            "Failed to create topic [t]: Resource already exists in the project (resource=t).",
        ),
        ("pubsub subscriptions create", "Resource already exists in the project (resource=s)."),
        ("iam service-accounts create", "Service account list-jobs already exists within project projects/p."),
        ("secrets create", "Secret [projects/123456/secrets/url-signing-key] already exists."),
        ("firestore indexes composite create", "ALREADY_EXISTS: index already exists"),
        ("scheduler jobs create", "ALREADY_EXISTS: Job projects/p/locations/l/jobs/every-minute already exists."),
    ],
)
def test_what_is_there_already_is_no_failure(
    command: str, said: str, checkout: Checkout, commands: list[Command]
) -> None:
    # A dry run prints what a project without a database and buckets needs.
    empty: dict[str, Any] = {"database": None, "missing": DEFAULTS.buckets}
    done = checkout.deploy(*REQUIRED, failing=command, saying=said, **empty)
    assert done.returncode == 0, done.stderr
    assert len(checkout.calls()) == len(commands)


@pytest.mark.parametrize(
    "command",
    [
        "projects describe",
        "services enable",
        "pubsub topics create job-deleted-dead-letters",
        "firestore fields ttls update",
        "firestore indexes composite create",
        "storage buckets add-iam-policy-binding gs://nuumee-outputs",
        "secrets versions list",
        "storage hmac create",
        "functions deploy get_output",
        "eventarc triggers describe",
        "pubsub subscriptions update",
        "firestore databases describe",
        "storage buckets describe gs://nuumee-videos",
        "storage buckets notifications list gs://nuumee-videos",
        "storage buckets notifications create",
        "scheduler jobs create",
        "alpha monitoring policies list",
        "alpha monitoring policies create",
    ],
)
def test_a_failure_of_gcloud_stops_the_run_with_its_exit_code(command: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, failing=command, saying="PERMISSION_DENIED")
    assert done.returncode == 7
    assert "PERMISSION_DENIED" in done.stderr
    *before, last = (" ".join(call) for call in checkout.calls())
    assert last.startswith(command)
    assert not any(call.startswith(command) for call in before)


def test_a_function_that_cannot_be_staged_stops_the_run_before_its_first_command(checkout: Checkout) -> None:
    (checkout.root / "requirements.txt").unlink()
    done = checkout.deploy(*REQUIRED)
    assert done.returncode == 1
    assert "requirements.txt" in done.stderr
    assert checkout.calls() == []


def test_a_table_that_makes_no_sense_stops_the_run_before_its_first_command(checkout: Checkout) -> None:
    file = checkout.root / "infra/functions.toml"
    file.write_text(file.read_text().replace('"512Mi"', '"plenty"'))
    done = checkout.run(*REQUIRED)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "infra/functions.toml: defaults has memory = 'plenty', which is not a size such as 512Mi\n"
    )
    assert checkout.recorded() == []


def test_a_python_that_is_too_old_is_named(checkout: Checkout) -> None:
    (checkout.path / "python3").unlink()
    answer = "[[ $1 == --version ]] && echo Python 3.9.2 || exit 1"
    (checkout.path / "python3").write_text(f"#!{checkout.path}/bash\n{answer}\n")
    (checkout.path / "python3").chmod(0o755)
    done = checkout.run(*REQUIRED)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "deploy.sh: Python 3.11 or newer is needed, and python3 is Python 3.9.2\n"
    assert checkout.recorded() == []


@pytest.mark.parametrize("tool", ["gcloud", "python3"])
def test_a_tool_that_is_not_there_is_named(tool: str, checkout: Checkout) -> None:
    (checkout.path / tool).unlink()
    done = checkout.run(*REQUIRED)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tool} is not installed" in done.stderr


def test_the_script_can_be_started() -> None:
    assert os.access(ROOT / "deploy.sh", os.X_OK)
