"""The commands of every path of deploy.sh and of its documentation, checked by gcloud's own parser.

Needs neither a network nor a project.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.settings import dead_letters
from tests.conftest import SUMMARY
from tests.unit.infra.deploy.checkout import ACCOUNTS, REQUIRED, TOPICS, Checkout, make
from tests.unit.infra.deploy.cloud import Cloud
from tests.unit.infra.deploy.refusals import advised
from tests.unit.infra.deploy.test_removal import grow
from tests.unit.infra.watching.files import UPTIME

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("gcloud") is None,
        reason="gcloud is not installed: the commands of deploy.sh were not checked against its parser",
    ),
]

ROOT = Path(__file__).parents[3]
ONCE = Path(__file__).with_name("gcloud_once.py")
WRONG = (
    "gcloud run deploy list-jobs --region=us-central1 --no-such-flag=1",
    "gcloud pubsub topics create",
    "gcloud pubsub no-such-command",
)
NAMES = {
    *(*ACCOUNTS, *(f"probe-{name}" for name in ACCOUNTS), *TOPICS.values(), *map(dead_letters, TOPICS.values())),
    *(
        "nuumee-jobs-page",
        "nuumee-jobs-share",
        "release-probe",
        "old-one",
        "url-signer",
        "event-pusher",
        "image-builder",
    ),
}
CHANNELS = ("--alert-channels=projects/nuumee-test/notificationChannels/1", "--alert-email=ops@a.example")


def play(checkout: Checkout) -> None:
    """Go every path that deploy.sh has."""
    cloud = checkout.cloud
    checkout.must(*REQUIRED, "--budget=100USD", *CHANNELS, "--signing=keyless", "--forwarded-hops=2")
    cloud.hmac_key = ":not a key"
    assert checkout.deploy().returncode == 2
    cloud.hmac_key = "GOOG1EKEY:not a key"
    assert checkout.deploy().returncode == 2
    cloud.hmac_key = "GOOG1EKEY:secret"
    for part in (*cloud.alerts.values(), *cloud.schedules.values(), *cloud.subscriptions.values()):
        part.update(documentation={}, schedule="0 * * * *", state="PAUSED", ackDeadlineSeconds=10)
    cloud.subscriptions["projects/nuumee-test/subscriptions/count-views"]["deadLetterPolicy"] = {"any": "one"}
    for part in (*cloud.metrics.values(), *cloud.checks.values(), *cloud.dashboards.values()):
        part.update(filter="", gridLayout={}, period="60s")
    cloud.database = {"type": "FIRESTORE_NATIVE"}
    cloud.accounts.popitem()[1]["description"] = ""
    cloud.accounts["list-jobs@nuumee-test.iam.gserviceaccount.com"]["description"] = ""
    cloud.roles["nuumeeJobsRemover"].update(title="", deleted=True)
    for service in cloud.services.values():
        service["metadata"]["annotations"] = {}
    cloud.enabled.add("cloudfunctions.googleapis.com")
    assert checkout.deploy(*REQUIRED, "--budget=200USD").returncode == 0
    for service in cloud.services.values():
        service["metadata"]["annotations"] = {}
    checkout.must(*REQUIRED, "--budget=200USD")
    checkout.change_source()
    checkout.must()
    cloud.broken = {"list-jobs"}
    checkout.change_source()
    assert checkout.deploy().returncode == 1
    cloud.broken = set()
    cloud.secret_labels = {}
    checkout.must()
    checkout.must("rotate-signing-key", *REQUIRED, "--leaked")
    checkout.must("rollback", *REQUIRED)
    checkout.must()
    grow(checkout)
    checkout.answers = ["yes", "nuumee-test"]
    checkout.deploy("check", *REQUIRED, "--prune")
    assert checkout.deploy("destroy", *REQUIRED).returncode == 0


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """One command of each form: those that differ only in what they name are the same to the parser."""
    checkout = make(tmp_path_factory.mktemp("lint"))
    every: list[list[str]] = []
    run = checkout.cloud.__class__.__call__

    with pytest.MonkeyPatch.context() as patch:

        def keep(cloud: Any, call: Any) -> Any:
            every.append([*call.words])
            return run(cloud, call)

        patch.setattr(checkout.cloud.__class__, "__call__", keep)
        play(checkout)
    return [
        *advised(checkout),
        *{form(words): shlex.join(["gcloud", *words]) for words in every}.values(),
        *documented(),
        *spelled_out(),
    ]


def form(words: list[str]) -> str:
    """What the parser looks at, but for names and values."""
    flags = [
        word if word.startswith("--condition") else word.partition("=")[0] for word in words if word[:1] == "-"
    ]
    about = [word for word in words if re.fullmatch("[a-z-]+", word) and word not in NAMES and word[:1] != "-"]
    return " ".join([*about, *sorted(flags)])


def documented() -> list[str]:
    """The commands in docs/, whose words in capitals stand for what the reader has."""
    found = []
    for file in sorted((ROOT / "docs").glob("*.md")):
        for block in re.findall(r"^ *```\n(.*?)^ *```", file.read_text(), re.DOTALL | re.MULTILINE):
            text = re.sub(r"\bPROJECT(_ID)?\b", "nuumee-test", block)
            lines = map(str.strip, re.sub(r"\\\n\s*", "", text).splitlines())
            found += [shlex.join(shlex.split(line, comments=True)) for line in lines if line.startswith("gcloud ")]
    return found


def spelled_out() -> list[str]:
    """The commands that take files of flags, which the parser of `lint-gcloud-commands` does not open."""
    making = (
        "gcloud monitoring uptime create nuumee-jobs-{} --resource-labels=host=a.example,project_id=nuumee-test "
    )
    return [
        making.format(name) + shlex.join(f"{flag}={value}" for flag, value in flags.items())
        for name, flags in UPTIME.items()
    ]


@pytest.fixture(scope="module")
def verdicts(commands: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What gcloud reports for each command. It runs only once, because it takes seconds."""
    folder = tmp_path_factory.mktemp("gcloud")
    asked = folder / "commands.json"
    asked.write_text(json.dumps([{"command_string": command} for command in (*commands, *WRONG)]))
    lint = ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={asked}"]
    settings = {"CLOUDSDK_CONFIG": str(folder), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}
    environment = {**os.environ, **settings, "CLOUDSDK_PYTHON_ARGS": f"-S {ONCE.name}"}
    ended = subprocess.run(
        lint, check=True, capture_output=True, text=True, env=environment, cwd=ONCE.parent, timeout=250
    )
    return {verdict["command_string"]: verdict for verdict in json.loads(ended.stdout)}


def test_gcloud_accepts_every_command(
    commands: list[str], verdicts: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    # The exit code is always 0.
    valid = [command for command in commands if verdicts[command]["success"]]
    record_property(SUMMARY, f"deploy: {len(commands)} commands, {len(valid)} valid")
    refused = {command: verdicts[command]["error_message"] for command in commands if command not in valid}
    assert refused == {}


def test_no_command_that_is_known_to_the_made_up_cloud_was_left_out(commands: list[str]) -> None:
    lines = [re.sub("[ -]", "_", command.removeprefix("gcloud ")) for command in commands]
    known = [name.removeprefix("on_") for name in dir(Cloud) if name.startswith("on_")]
    assert [name for name in known if not any(line.startswith(f"{name}_") for line in lines)] == []


@pytest.mark.parametrize("command", WRONG)
def test_gcloud_refuses_a_wrong_command(command: str, verdicts: dict[str, Any]) -> None:
    assert verdicts[command]["success"] is False
