"""A copy of the files that deploy.sh uses, with a gcloud that only records its calls, and ways to read them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.functions import table
from infra.stage import ROOT
from shared.settings import Settings

REQUIRED = (
    "--project=nuumee-test",
    "--region=us-central1",
    "--allowed-origins=https://a.example,https://b.example",
)
DEFAULTS = Settings(project="nuumee-test", allowed_origins=("https://a.example", "https://b.example"))
"""The settings that the functions get from REQUIRED."""
FUNCTIONS = table().functions
TOPICS = {name: table().topic_name(one.topic, DEFAULTS) for name, one in FUNCTIONS.items() if one.topic}
"""The topic of each background function."""
RETRIED = tuple(name for name, function in FUNCTIONS.items() if function.retry)
PLACEHOLDERS = {
    "PROJECT_NUMBER": "123456",
    **{f"TRIGGER_OF_{name}": f"projects/nuumee-test/locations/us-central1/triggers/{name}-1" for name in TOPICS},
    **{f"SUBSCRIPTION_OF_{name}": f"projects/nuumee-test/subscriptions/eventarc-{name}-1" for name in TOPICS},
}
HMAC_KEY = "GOOG1EKEY:se/cr+et="
TABLE = ("infra/functions.py", "infra/functions.toml")
TOOLS = ("bash", "cat", "dirname", "env", "grep", "sort", "tr", "uniq")

# Records each call. A command that contains FAILING fails with the message SAYING; one that contains LOST is done,
# but its answer is lost. NOTIFICATIONS, POLICIES and VERSIONS (lines of a name and a state) are what exists, and
# the accounts in SIGN_AS_THEMSELVES may do so. `hmac create` prints HMAC_KEY and records its environment. Stores
# the secret it gets, as an enabled version.
FAKE_GCLOUD = f"""#!/usr/bin/env bash
(IFS=$'\\x1f' && echo "$*" >>"$0.calls")
[[ "$*" != *"${{FAILING-no such command}}"* ]] || {{ echo "ERROR: $SAYING" >&2 && exit 7; }}
case "$*" in
  "projects describe"*) echo {PLACEHOLDERS["PROJECT_NUMBER"]} ;;
  "functions describe"*) echo "projects/nuumee-test/locations/us-central1/triggers/$3-1" ;;
  "eventarc triggers describe"*) echo "projects/nuumee-test/subscriptions/eventarc-${{4##*/}}" ;;
  "storage buckets describe"*) echo "${{UNIFORM-True}}" ;;
  "storage buckets notifications list"*) echo "${{NOTIFICATIONS-[]}}" ;;
  "alpha monitoring policies list"*) echo "$POLICIES" ;;
  "iam service-accounts get-iam-policy"*)
    [[ " $SIGN_AS_THEMSELVES " != *" ${{4%%@*}} "* ]] || echo "serviceAccount:$4" ;;
  "secrets versions list"*)
    state="" && [[ "$*" != *" --filter=state=enabled "* ]] || state=enabled
    [[ ! -e "$0.secret" ]] || VERSIONS+=$'\n9 enabled'
    while read -r name is; do [[ $is != "${{state:-$is}}" ]] || echo "$name"; done <<<"$VERSIONS" ;;
  "storage hmac create"*) echo "${{HMAC_KEY-{HMAC_KEY}}}" && env >"$0.environment" ;;
  "secrets versions add"*) cat >"$0.secret" ;;
esac
[[ "$*" != *"${{LOST-no such command}}"* ]] || {{ echo "ERROR: 504" >&2 && exit 7; }}
"""

Command = list[str]


@dataclass
class Checkout:
    """A copy of the files that deploy.sh uses, and a PATH with little more than the recording gcloud."""

    root: Path
    path: Path

    def deploy(self, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.path), **environment}
        command = [str(self.root / "deploy.sh"), *flags]
        return subprocess.run(command, env=environment, cwd=self.path, capture_output=True, text=True, check=False)

    def commands(self, *flags: str) -> list[Command]:
        """The commands that a dry run prints, split into words."""
        done = self.deploy("--dry-run", *(flags or REQUIRED))
        assert done.returncode == 0, done.stderr
        words = [shlex.split(line) for line in done.stdout.splitlines()]
        assert {first for first, *_ in words} == {"gcloud"}
        return [rest for _, *rest in words]

    def calls(self) -> list[Command]:
        """The arguments of each call of gcloud."""
        calls = self.path / "gcloud.calls"
        return [line.split("\x1f") for line in calls.read_text().splitlines()] if calls.exists() else []

    def secret(self) -> str | None:
        """The secret that gcloud was given."""
        secret = self.path / "gcloud.secret"
        return secret.read_text() if secret.exists() else None

    def write_env(self, text: str) -> None:
        (self.root / ".env").write_text(text)


def make(folder: Path) -> Checkout:
    copy = Checkout(folder / "checkout", folder / "bin")
    copy.path.mkdir()
    for tool in TOOLS:
        (copy.path / tool).symlink_to(shutil.which(tool) or tool)
    (copy.path / "python3").symlink_to(sys.executable)
    (copy.path / "gcloud").write_text(FAKE_GCLOUD)
    (copy.path / "gcloud").chmod(0o755)
    for part in ("functions", "shared", "infra/cloud"):
        shutil.copytree(ROOT / part, copy.root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("deploy.sh", "requirements.txt", "infra/__init__.py", "infra/stage.py", *TABLE):
        shutil.copy(ROOT / file, copy.root / file)
    return copy


def those(commands: list[Command], *beginning: str) -> list[Command]:
    return [command for command in commands if command[: len(beginning)] == list(beginning)]


def option(command: Command, name: str) -> str:
    (value,) = [word.removeprefix(f"{name}=") for word in command if word.startswith(f"{name}=")]
    return value


def deployed(commands: list[Command], function: str) -> Command:
    (command,) = those(commands, "functions", "deploy", function)
    return command


def variables(command: Command) -> dict[str, str]:
    """The variables of --set-env-vars, split as `gcloud topic escaping` describes."""
    text = option(command, "--set-env-vars")
    assert text.startswith("^@^")
    return dict(part.split("=", 1) for part in text.removeprefix("^@^").split("@"))
