"""The commands of deploy.sh and the runbook, checked by gcloud's own parser. Needs no network and no project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.infra.watching import runbook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("gcloud") is None,
        reason="gcloud is not installed: the commands of deploy.sh were not checked against its parser",
    ),
]

ROOT = Path(__file__).parents[3]
WRONG = (
    "gcloud functions deploy list_jobs --region=us-central1 --no-such-flag=1",
    "gcloud pubsub topics create",
    "gcloud pubsub no-such-command",
)

# Commands that a dry run does not print, because it cannot know that they are needed.
IF_NEEDED = (
    "gcloud alpha monitoring policies update projects/nuumee-example/alertPolicies/1"
    " --set-notification-channels=projects/nuumee-example/notificationChannels/1",
    "gcloud storage hmac update GOOG1EKEY --deactivate --project=nuumee-example --quiet",
    "gcloud storage hmac delete GOOG1EKEY --project=nuumee-example --quiet",
    "gcloud iam service-accounts remove-iam-policy-binding a@nuumee-example.iam.gserviceaccount.com"
    " --member=serviceAccount:a@nuumee-example.iam.gserviceaccount.com"
    " --role=roles/iam.serviceAccountTokenCreator --format=none --all --project=nuumee-example --quiet",
)


@pytest.fixture(scope="module")
def commands() -> list[str]:
    deploy = [str(ROOT / "deploy.sh"), "--dry-run", f"--config={ROOT / 'infra/cloud/example.env'}"]
    deploy += ["--alert-channels=projects/nuumee-example/notificationChannels/1"]
    printed: dict[str, None] = {}
    for others in ("--forwarded-hops=1", "--forwarded-hops=2", "--signing=keyless"):
        ended = subprocess.run([*deploy, others], check=True, capture_output=True, text=True)
        printed |= dict.fromkeys(ended.stdout.splitlines())
    return [*printed, *IF_NEEDED, *runbook.of_files(), *runbook.commands()]


@pytest.fixture(scope="module")
def verdicts(commands: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What gcloud reports for each command. It runs only once, because it takes seconds."""
    folder = tmp_path_factory.mktemp("gcloud")
    asked = folder / "commands.json"
    asked.write_text(json.dumps([{"command_string": command} for command in (*commands, *WRONG)]))
    lint = ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={asked}"]
    environment = {**os.environ, "CLOUDSDK_CONFIG": str(folder), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}
    answer = subprocess.run(lint, check=True, capture_output=True, text=True, env=environment, timeout=250).stdout
    return {verdict["command_string"]: verdict for verdict in json.loads(answer)}


def test_gcloud_accepts_every_command(commands: list[str], verdicts: dict[str, Any]) -> None:
    assert commands
    # The exit code is always 0.
    refused = {
        command: verdicts[command]["error_message"] for command in commands if not verdicts[command]["success"]
    }
    assert refused == {}


@pytest.mark.parametrize("command", WRONG)
def test_gcloud_refuses_a_wrong_command(command: str, verdicts: dict[str, Any]) -> None:
    assert verdicts[command]["success"] is False
