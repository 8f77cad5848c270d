"""Settings of deploy.sh from a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.stage import ROOT
from shared.settings import Settings
from tests.unit.infra.deploy.checkout import REQUIRED, Checkout, deployed, option, variables


def test_settings_come_from_the_env_file_too(checkout: Checkout) -> None:
    checkout.write_env(
        "# what is deployed where\n\nPROJECT=from-the-file\n  REGION=europe-west12 \r\n"
        "ALLOWED_ORIGINS=https://a.example,https://b.example"
    )
    done = checkout.deploy("--dry-run")
    assert done.returncode == 0, done.stderr
    assert "--project=from-the-file" in done.stdout
    assert "--region=europe-west12 " in done.stdout


def test_flags_win_over_the_file(checkout: Checkout) -> None:
    checkout.write_env("PROJECT=from-the-file\nREGION=europe-west1\nIMAGES_BUCKET=from-the-file\n")
    commands = checkout.commands(*REQUIRED)
    assert {option(command, "--project") for command in commands} == {"nuumee-test"}
    assert option(deployed(commands, "list_jobs"), "--region") == "us-central1"
    assert variables(deployed(commands, "list_jobs"))["IMAGES_BUCKET"] == "from-the-file"


def test_a_config_file_takes_the_place_of_the_env_file(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write_env("PROJECT=from-the-env-file\nMAX_INSTANCES=7\n")
    (tmp_path / "staging.env").write_text("PROJECT=from-the-config\n")
    commands = checkout.commands("--config", str(tmp_path / "staging.env"), *REQUIRED[1:])
    assert {option(command, "--project") for command in commands} == {"from-the-config"}
    assert "--max-instances=20" in deployed(commands, "list_jobs")


def test_the_example_is_a_config_file(checkout: Checkout) -> None:
    example = ROOT / "infra/cloud/example.env"
    commands = checkout.commands("--config", str(example))
    settings = Settings.from_environment(variables(deployed(commands, "list_jobs")))
    commented = dict(re.findall(r"^#([A-Z_]+)=(.*)$", example.read_text(), re.MULTILINE))
    assert commented.pop("MAX_INSTANCES") == option(deployed(commands, "list_jobs"), "--max-instances")
    assert commented.pop("SIGNING") == variables(deployed(commands, "list_jobs"))["SIGNING"]
    assert commented.pop("ALERT_CHANNELS") == "none"
    assert commented.pop("ALERT_EMAIL") == "none"
    assert commented.pop("FIRESTORE_LOCATION") == ""
    assert commented.pop("BUILD_REGION") == ""
    assert commented.pop("BUILD_BUCKET") == ""
    assert commented.pop("BUDGET") == "none"
    # With its default, links and an uptime check would lead to somebody else's host.
    assert "SHARE_ORIGIN" not in commented
    assert commented == {name: str(getattr(settings, name.lower())) for name in commented}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("FOO=bar", "line 2: unknown setting FOO"),
        ("PATH=/tmp", "line 2: unknown setting PATH"),
        ("export PROJECT=nuumee-test", "line 2 is not NAME=VALUE: export PROJECT=nuumee-test"),
        ("PROJECT", "line 2 is not NAME=VALUE: PROJECT"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(line: str, complaint: str, checkout: Checkout) -> None:
    checkout.write_env(f"# first\n{line}\n")
    done = checkout.deploy("--dry-run", *REQUIRED)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr


def test_a_config_file_that_is_not_there_is_named(checkout: Checkout) -> None:
    done = checkout.deploy("--config", "/no/such.env", *REQUIRED)
    assert (done.returncode, done.stderr) == (2, "deploy.sh: cannot read the config file /no/such.env\n")


@pytest.mark.parametrize(
    "line",
    [
        "PROJECT=$(gcloud run)",
        "PROJECT=`gcloud run`",
        "PROJECT=nuumee-test; gcloud run",
        "MAX_INSTANCES=a[$(gcloud run)]",
        "REGION='$(gcloud run)'",
        "gcloud run",
        "PROJECT[$(gcloud run)]=x",
    ],
)
def test_a_config_file_cannot_run_anything(line: str, checkout: Checkout) -> None:
    checkout.write_env(line)
    required = (flag for flag in REQUIRED if not line.startswith(flag[2:6].upper()))
    done = checkout.deploy("--dry-run", *required)
    assert (done.returncode, done.stdout) == (2, "")
    assert checkout.calls() == []
