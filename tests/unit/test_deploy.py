"""deploy.sh: what it prints, and that it does the same. There is no gcloud here but one that takes notes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.stage import FUNCTIONS
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
REQUIRED = (
    "--project=nuumee-test",
    "--region=us-central1",
    "--allowed-origins=https://a.example,https://b.example",
)
PLACEHOLDERS = {
    "PROJECT_NUMBER": "123456",
    "FUNCTION_TRIGGER": "projects/nuumee-test/locations/us-central1/triggers/purge-job-1",
    "TRIGGER_SUBSCRIPTION": "projects/nuumee-test/subscriptions/eventarc-1",
}
TOOLS = ("bash", "cat", "dirname", "env", "grep", "sort", "tr", "uniq")

FAKE_GCLOUD = f"""#!/usr/bin/env bash
(IFS=$'\\x1f' && echo "$*" >>"$0.calls")
[[ "$*" != *"${{FAILING-no such command}}"* ]] || {{ echo "ERROR: $SAYING" >&2 && exit 7; }}
case "$*" in
  "projects describe"*) echo {PLACEHOLDERS["PROJECT_NUMBER"]} ;;
  "functions describe"*) echo {PLACEHOLDERS["FUNCTION_TRIGGER"]} ;;
  "eventarc triggers describe"*) echo {PLACEHOLDERS["TRIGGER_SUBSCRIPTION"]} ;;
esac
"""

Command = list[str]


@dataclass
class Checkout:
    """A copy of what deploy.sh works on, and a PATH with little more than the recording gcloud."""

    root: Path
    path: Path

    def deploy(self, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.path), **environment}
        command = [str(self.root / "deploy.sh"), *flags]
        return subprocess.run(command, env=environment, cwd=self.path, capture_output=True, text=True, check=False)

    def commands(self, *flags: str) -> list[Command]:
        """The words of what a dry run prints."""
        done = self.deploy("--dry-run", *(flags or REQUIRED))
        assert done.returncode == 0, done.stderr
        words = [shlex.split(line) for line in done.stdout.splitlines()]
        assert {first for first, *_ in words} == {"gcloud"}
        return [rest for _, *rest in words]

    def calls(self) -> list[Command]:
        """What gcloud was called with."""
        calls = self.path / "gcloud.calls"
        return [line.split("\x1f") for line in calls.read_text().splitlines()] if calls.exists() else []

    def write_env(self, text: str) -> None:
        (self.root / ".env").write_text(text)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    copy = Checkout(tmp_path / "checkout", tmp_path / "bin")
    copy.path.mkdir()
    for tool in TOOLS:
        (copy.path / tool).symlink_to(shutil.which(tool) or tool)
    (copy.path / "python3").symlink_to(sys.executable)
    (copy.path / "gcloud").write_text(FAKE_GCLOUD)
    (copy.path / "gcloud").chmod(0o755)
    for folder in ("functions", "shared", "infra/cloud"):
        shutil.copytree(ROOT / folder, copy.root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("deploy.sh", "requirements.txt", "infra/__init__.py", "infra/stage.py"):
        shutil.copy(ROOT / file, copy.root / file)
    return copy


@pytest.fixture
def commands(checkout: Checkout) -> list[Command]:
    return checkout.commands()


def those(commands: list[Command], *beginning: str) -> list[Command]:
    return [command for command in commands if command[: len(beginning)] == list(beginning)]


def option(command: Command, name: str) -> str:
    (value,) = [word.removeprefix(f"{name}=") for word in command if word.startswith(f"{name}=")]
    return value


def deployed(commands: list[Command], function: str) -> Command:
    (command,) = those(commands, "functions", "deploy", function)
    return command


def variables(command: Command) -> dict[str, str]:
    """Those of --set-env-vars, split as `gcloud topic escaping` says."""
    text = option(command, "--set-env-vars")
    assert text.startswith("^@^")
    return dict(part.split("=", 1) for part in text.removeprefix("^@^").split("@"))


def test_the_five_functions_are_deployed_each_once(commands: list[Command]) -> None:
    assert sorted(command[2] for command in those(commands, "functions", "deploy")) == sorted(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_own_code_account_and_size(function: str, commands: list[Command]) -> None:
    command = deployed(commands, function)
    background = function == "purge_job"
    assert {"--gen2", "--quiet", "--project=nuumee-test", "--region=us-central1"} <= set(command)
    assert {"--runtime=python311", f"--entry-point={function}", f"--source=build/{function}"} <= set(command)
    assert {"--memory=512Mi", "--cpu=1", "--max-instances=20"} <= set(command)
    assert option(command, "--concurrency") == ("8" if background else "16")
    assert option(command, "--timeout") == ("300s" if background else "30s")
    account = function.replace("_", "-")
    assert option(command, "--service-account") == f"{account}@nuumee-test.iam.gserviceaccount.com"
    assert those(commands, "iam", "service-accounts", "create", account)
    assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", account)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_thread_for_each_request(function: str, commands: list[Command]) -> None:
    command = deployed(commands, function)
    assert variables(command)["THREADS"] == option(command, "--concurrency")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_gets_settings_that_it_understands(function: str, commands: list[Command]) -> None:
    settings = Settings.from_environment(variables(deployed(commands, function)))
    assert settings == Settings(project="nuumee-test", allowed_origins=("https://a.example", "https://b.example"))


def test_every_setting_reaches_the_functions(checkout: Checkout) -> None:
    buckets = ("--images-bucket=pictures", "--videos-bucket=movies", "--outputs-bucket=results")
    others = ("--job-deleted-topic=gone", "--share-origin=https://s.example", "--max-instances=3")
    command = deployed(checkout.commands(*REQUIRED, *buckets, *others), "purge_job")
    settings = Settings.from_environment(variables(command))
    assert settings.buckets == ("pictures", "movies", "results")
    assert (settings.job_deleted_topic, settings.share_origin) == ("gone", "https://s.example")
    assert {"--trigger-topic=gone", "--max-instances=3"} <= set(command)


def test_only_http_functions_can_be_called_by_anybody(commands: list[Command]) -> None:
    for function in FUNCTIONS:
        command = deployed(commands, function)
        public = function != "purge_job"
        assert ("--allow-unauthenticated" in command, "--trigger-http" in command) == (public, public)


def test_purge_job_is_delivered_again_until_it_works(commands: list[Command]) -> None:
    assert {"--trigger-topic=job-deleted", "--retry"} <= set(deployed(commands, "purge_job"))


def test_purge_job_may_be_called_in_its_own_name(commands: list[Command]) -> None:
    (command,) = those(commands, "functions", "add-invoker-policy-binding", "purge_job")
    assert option(command, "--member") == "serviceAccount:purge-job@nuumee-test.iam.gserviceaccount.com"


def test_what_cannot_be_processed_is_kept_for_a_week(commands: list[Command]) -> None:
    dead = "job-deleted-dead-letters"
    assert those(commands, "pubsub", "topics", "create", dead)
    (kept,) = those(commands, "pubsub", "subscriptions", "create", dead)
    assert {f"--topic={dead}", "--message-retention-duration=7d", "--expiration-period=never"} <= set(kept)

    (update,) = those(commands, "pubsub", "subscriptions", "update", "TRIGGER_SUBSCRIPTION")
    assert {f"--dead-letter-topic={dead}", "--max-delivery-attempts=5"} <= set(update)
    timeout = option(deployed(commands, "purge_job"), "--timeout").removesuffix("s")
    assert int(option(update, "--ack-deadline")) > int(timeout)
    assert commands.index(update) > commands.index(deployed(commands, "purge_job"))

    agent = "--member=serviceAccount:service-PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com"
    (publisher,) = those(commands, "pubsub", "topics", "add-iam-policy-binding", dead)
    (subscriber,) = those(commands, "pubsub", "subscriptions", "add-iam-policy-binding", "TRIGGER_SUBSCRIPTION")
    assert {agent, "--role=roles/pubsub.publisher"} <= set(publisher)
    assert {agent, "--role=roles/pubsub.subscriber"} <= set(subscriber)


def test_each_account_has_the_roles_that_it_needs_and_no_other(commands: list[Command]) -> None:
    granted: dict[str, set[str]] = {}
    for command in commands:
        if "add-iam-policy-binding" not in command or "gcp-sa-pubsub" in option(command, "--member"):
            continue
        email = option(command, "--member").removeprefix("serviceAccount:")
        on = command[command.index("add-iam-policy-binding") + 1]
        role = option(command, "--role").removeprefix("roles/")
        granted.setdefault(email.partition("@")[0], set()).add(f"{role} on {'itself' if on == email else on}")

    buckets = ("gs://nuumee-images", "gs://nuumee-videos", "gs://nuumee-outputs")
    signs = {"datastore.viewer on nuumee-test", "iam.serviceAccountTokenCreator on itself"}
    reads = {f"storage.objectViewer on {bucket}" for bucket in buckets}
    assert granted == {
        "list-jobs": signs | reads,
        "get-thumbnails": signs | reads,
        "get-output": signs | {"storage.objectViewer on gs://nuumee-outputs"},
        "delete-job": {
            "datastore.user on nuumee-test",
            "firebaseauth.viewer on nuumee-test",
            "pubsub.publisher on job-deleted",
        },
        "purge-job": {"datastore.user on nuumee-test", *(f"storage.objectUser on {bucket}" for bucket in buckets)},
    }


def test_the_indexes_are_made_without_waiting_for_them(commands: list[Command]) -> None:
    made = those(commands, "firestore", "indexes", "composite", "create")
    assert all(
        {"--collection-group=jobs", "--query-scope=collection", "--async"} <= set(command) for command in made
    )
    fields = [
        [word.partition("=")[2] for word in command if word.startswith("--field-config=")] for command in made
    ]
    assert ["field-path=purge.state,order=ascending", "field-path=purge.requested_at,order=ascending"] in fields
    assert ["field-path=user_id,order=ascending", "field-path=created_at,order=descending"] in fields


def test_a_dry_run_calls_and_changes_nothing(checkout: Checkout) -> None:
    before = {path: path.stat().st_mtime_ns for path in checkout.root.rglob("*")}
    checkout.commands()
    assert checkout.calls() == []
    assert {path: path.stat().st_mtime_ns for path in checkout.root.rglob("*")} == before


def test_a_run_does_what_a_dry_run_prints(checkout: Checkout) -> None:
    printed = checkout.commands()
    done = checkout.deploy(*REQUIRED)
    assert done.returncode == 0, done.stderr
    filled = re.compile("|".join(PLACEHOLDERS))
    assert checkout.calls() == [
        [filled.sub(lambda found: PLACEHOLDERS[found[0]], word) for word in command] for command in printed
    ]
    for function in FUNCTIONS:
        assert function in (checkout.root / "build" / function / "main.py").read_text()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "pubsub topics create",
            "Failed to create topic [t]: Resource already exists in the project (resource=t).",
        ),
        ("pubsub subscriptions create", "Resource already exists in the project (resource=s)."),
        ("iam service-accounts create", "Service account list-jobs already exists within project projects/p."),
        ("firestore indexes composite create", "ALREADY_EXISTS: index already exists"),
    ],
)
def test_what_is_there_already_is_no_failure(command: str, said: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, FAILING=command, SAYING=said)
    assert done.returncode == 0, done.stderr
    assert len(checkout.calls()) == len(checkout.commands())


@pytest.mark.parametrize(
    "command",
    [
        "projects describe",
        "services enable",
        "pubsub topics create job-deleted-dead-letters",
        "firestore indexes composite create",
        "storage buckets add-iam-policy-binding gs://nuumee-outputs",
        "functions deploy get_output",
        "eventarc triggers describe",
        "pubsub subscriptions update",
    ],
)
def test_a_failure_of_gcloud_stops_the_run_with_its_exit_code(command: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, FAILING=command, SAYING="PERMISSION_DENIED")
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


@pytest.mark.parametrize("tool", ["gcloud", "python3"])
def test_a_tool_that_is_not_there_is_named(tool: str, checkout: Checkout) -> None:
    (checkout.path / tool).unlink()
    done = checkout.deploy(*REQUIRED)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tool} is not installed" in done.stderr


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_setting_is_named(missing: str, checkout: Checkout) -> None:
    flag = missing.partition("=")[0]
    name = flag[2:].upper().replace("-", "_")
    done = checkout.deploy(*(given for given in REQUIRED if given != missing))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"deploy.sh: {name} is not set: give {flag} or put {name}=... into .env\n"
    assert checkout.calls() == []


@pytest.mark.parametrize(
    "wrong",
    [
        "--project=Nuumee",
        "--project=short",
        "--region=us-central",
        "--allowed-origins=*",
        "--allowed-origins=https://a.example/path",
        "--allowed-origins=https://a.example,",
        "--allowed-origins=https://a.example@THREADS=1",
        "--images-bucket=No_Capitals",
        "--images-bucket=nuumee-videos",
        "--job-deleted-topic=a/b",
        "--share-origin=nuumee.ai",
        "--max-instances=0",
        "--max-instances=many",
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_done(wrong: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert wrong[2:].partition("=")[0].upper().replace("-", "_") in done.stderr
    assert checkout.calls() == []
    assert not (checkout.root / "build").exists()


@pytest.mark.parametrize("flag", ["--dry-runs", "--project-id=x", "--.*=x", "-h", "deploy", "--dry-run=no"])
def test_an_unknown_flag_is_named(flag: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, flag)
    assert done.returncode == 2
    assert f"unknown flag {flag.partition('=')[0]}" in done.stderr
    assert checkout.calls() == []


@pytest.mark.parametrize("flags", [("--region",), ("--region=",), ("--region", "--dry-run")])
def test_a_flag_needs_a_value(flags: tuple[str, ...], checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, *flags)
    assert (done.returncode, done.stderr) == (2, "deploy.sh: --region needs a value\n")


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


def test_the_callers_environment_is_no_setting(checkout: Checkout) -> None:
    done = checkout.deploy("--dry-run", *REQUIRED[1:], PROJECT="from-the-caller")
    assert done.returncode == 2
    assert "PROJECT is not set" in done.stderr


def test_help_names_every_setting(checkout: Checkout) -> None:
    done = checkout.deploy("--help")
    assert done.returncode == 0
    example = (ROOT / "infra/cloud/example.env").read_text()
    names = re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)
    assert len(names) == 9
    assert all(re.search(rf"^  {name} ", done.stdout, re.MULTILINE) for name in names)
    assert checkout.calls() == []


def test_the_script_can_be_started() -> None:
    assert os.access(ROOT / "deploy.sh", os.X_OK)
