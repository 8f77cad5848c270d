"""A copy of the files that deploy.sh uses, with a gcloud that only records its calls, and ways to read them."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from infra.cloud.__main__ import main
from infra.cloud.gcloud import Call, Ended
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
TOOLS = ("bash", "cat", "dirname", "env")

# Records each call, and fails those that contain FAILING. `hmac create` prints HMAC_KEY and records its
# environment; `versions add` stores the secret that it gets.
FAKE_GCLOUD = f"""#!/usr/bin/env bash
(IFS=$'\\x1f' && echo "$*" >>"$0.calls")
[[ "$*" != *"${{FAILING-no such command}}"* ]] || {{ echo "ERROR: refused" >&2 && exit 7; }}
case "$*" in
  "projects describe"*) echo {PLACEHOLDERS["PROJECT_NUMBER"]} ;;
  "functions describe"*) echo "projects/nuumee-test/locations/us-central1/triggers/$3-1" ;;
  "eventarc triggers describe"*) echo "projects/nuumee-test/subscriptions/eventarc-${{4##*/}}" ;;
  "firestore databases describe"* | "storage buckets describe"*) echo "ERROR: NOT_FOUND" >&2 && exit 1 ;;
  "storage hmac create"*) echo "{HMAC_KEY}" && env >"$0.environment" ;;
  "secrets versions add"*) cat >"$0.secret" ;;
esac
"""

Command = list[str]


@dataclass(kw_only=True)
class Cloud:
    """What gcloud finds, and what was asked of it."""

    failing: str = "no such command"
    """A command that contains this fails."""
    saying: str = "refused"
    lost: str = "no such command"
    """A command that contains this is carried out, but its answer is lost."""
    lags: dict[str, int] = field(default_factory=dict)
    """Commands that contain the key fail this many times, because something new is not known everywhere."""
    database: str | None = "FIRESTORE_NATIVE"
    """The kind of the project's database, if it has one."""
    missing: tuple[str, ...] = ()
    """The buckets that do not exist."""
    uniform: str = "True"
    cors: str = "[{'origin': ['*']}]"
    """The buckets' rules for scripts of other origins."""
    notifications: str = "[]"
    policies: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    """The signing key's versions: name and state."""
    sign_as_themselves: tuple[str, ...] = ()
    """The accounts that may."""
    hmac_key: str = HMAC_KEY
    secret: str | None = None
    calls: list[Call] = field(default_factory=list)

    def __call__(self, call: Call) -> Ended:
        self.calls.append(call)
        line = " ".join(call.words)
        if self.failing in line:
            return Ended(7, "", f"ERROR: {self.saying}\n")
        for late, times in self.lags.items():
            if late in line and times > 0:
                self.lags[late] -= 1
                return self._not_known(call)
        if (line.startswith("firestore databases describe") and self.database is None) or any(
            line.startswith(f"storage buckets describe gs://{bucket} ") for bucket in self.missing
        ):
            return Ended(1, "", "ERROR: (gcloud) NOT_FOUND: there is none\n")
        answer = self._answer(line, call)
        return Ended(7, "", "ERROR: 504\n") if self.lost in line else Ended(0, answer)

    def _not_known(self, call: Call) -> Ended:
        """How gcloud answers about what is new: with an empty answer, or an error."""
        if "describe" in call.words and "databases" not in call.words and "buckets" not in call.words:
            return Ended(0)
        return Ended(1, "", "ERROR: Service account list-jobs does not exist; it has not been used in project\n")

    def _answer(self, line: str, call: Call) -> str:
        words = call.words
        if line.startswith("secrets versions add"):
            self.secret = call.secret
        answers: dict[str, Callable[[], str]] = {
            "projects describe": lambda: PLACEHOLDERS["PROJECT_NUMBER"],
            "functions describe": lambda: PLACEHOLDERS[f"TRIGGER_OF_{words[2]}"],
            "eventarc triggers describe": lambda: (
                f"projects/nuumee-test/subscriptions/eventarc-{words[3].rpartition('/')[2]}"
            ),
            "firestore databases describe": lambda: self.database or "",
            "storage buckets describe": lambda: f"{self.uniform}\t{self.cors}",
            "storage buckets notifications list": lambda: self.notifications,
            "alpha monitoring policies list": lambda: self.policies,
            "iam service-accounts get-iam-policy": lambda: (
                words[3] if words[3].partition("@")[0] in self.sign_as_themselves else ""
            ),
            "secrets versions list": lambda: "\n".join(self._enabled_versions(words)),
            "storage hmac create": lambda: self.hmac_key,
        }
        return next((f"{answer()}\n" for begin, answer in answers.items() if line.startswith(begin)), "")

    def _enabled_versions(self, words: Sequence[str]) -> list[str]:
        assert "--filter=state=enabled" in words
        there = (*self.versions, *((("9", "enabled"),) if self.secret else ()))
        return [name for name, state in there if state == "enabled"]


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@dataclass
class Checkout:
    """A copy of the files that deploy.sh uses, and a PATH with little more than the recording gcloud."""

    root: Path
    path: Path
    cloud: Cloud = field(default_factory=Cloud)

    def deploy(self, *flags: str, **changes: Any) -> Done:
        """What deploy.sh does, in this process. `changes` are those to the cloud, which stays between calls."""
        self.cloud = replace(self.cloud, **changes)
        stdout, stderr, code = io.StringIO(), io.StringIO(), 0
        folder = Path.cwd()
        paths = patch.dict(os.environ, PATH=str(self.path))
        with redirect_stdout(stdout), redirect_stderr(stderr), paths, patch("time.sleep"):
            try:
                main(flags, self.root, self._called(stderr))
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
                if isinstance(ended.code, str):
                    stderr.write(f"{ended.code}\n")
            finally:
                os.chdir(folder)
        return Done(code, stdout.getvalue(), stderr.getvalue())

    def _called(self, stderr: io.StringIO) -> Callable[[Call], Ended]:
        def call(one: Call) -> Ended:
            ended = self.cloud(one)
            if not one.takes_errors:
                stderr.write(ended.stderr)
            return ended

        return call

    def run(self, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run deploy.sh in a process of its own, with the recording gcloud."""
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
        return [list(call.words) for call in self.cloud.calls]

    def recorded(self) -> list[Command]:
        """The arguments of each call of the gcloud on the PATH."""
        calls = self.path / "gcloud.calls"
        return [line.split("\x1f") for line in calls.read_text().splitlines()] if calls.exists() else []

    def stored_secret(self) -> str | None:
        """The secret that the gcloud on the PATH was given."""
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
