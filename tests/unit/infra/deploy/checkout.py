"""A copy of the files that deploy.sh uses, with a made-up Google Cloud, and ways to read what was asked of it."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from infra.cloud.command_line import World, main
from infra.cloud.gcloud import Call, Ended
from infra.functions import table
from infra.stage import ROOT
from shared.settings import Settings
from tests.unit.infra.deploy.cloud import Cloud

REQUIRED = (
    "--project=nuumee-test",
    "--region=us-central1",
    "--allowed-origins=https://a.example,https://b.example",
)
DEFAULTS = Settings(project="nuumee-test", allowed_origins=("https://a.example", "https://b.example"))
"""The settings that the functions get from REQUIRED."""
FUNCTIONS = table().functions
ACCOUNTS = {function.account: function for function in FUNCTIONS.values()}
TOPICS = {name: table().topic_name(one.topic, DEFAULTS) for name, one in FUNCTIONS.items() if one.topic}
"""The topic of each background function."""
RETRIED = tuple(name for name, function in FUNCTIONS.items() if function.retry)
TOOLS = ("bash", "cat", "dirname", "env")
FILES = ("requirements.txt", "frontend/lib/settings.ts")
FEW = ("functions/__init__.py", "shared/errors.py")
"""Sources that are enough to make an image of."""
PROGRAM = (
    *("deploy.sh", "infra/__init__.py", "infra/stage.py", "infra/stage_page.py"),
    *("infra/functions.py", "infra/functions.toml", "infra/hosting.py"),
)

# Records each call, and fails those that contain FAILING.
FAKE_GCLOUD = """#!/usr/bin/env bash
(IFS=$'\\x1f' && echo "$*" >>"$0.calls")
env >"$0.environment"
[[ "$*" != *"${FAILING-no such command}"* ]] || { echo "ERROR: refused" >&2 && exit 7; }
"""

Line = list[str]


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@dataclass
class Checkout:
    """A copy of the files that deploy.sh uses, and a PATH with little more than the recording gcloud.

    Unless it is whole, it has few sources, and shares its PATH and a copy of infra/ with all others
    of the process, so no test may write into those: files take time.
    """

    root: Path
    path: Path
    cloud: Cloud = field(default_factory=Cloud)
    time: datetime = datetime(2026, 11, 26, 10, tzinfo=UTC)
    answers: list[str] = field(default_factory=list)
    """What is typed when something is asked."""
    programs: list[list[str]] = field(default_factory=list)
    """Other programs that were run."""
    environment: dict[str, str] = field(default_factory=dict)

    def deploy(self, *flags: str) -> Done:
        """What deploy.sh does, in this process, a minute after the last time."""
        self.time += timedelta(minutes=1)
        stdout, stderr, code = io.StringIO(), io.StringIO(), 0
        folder = Path.cwd()
        environment = patch.dict(os.environ, {"PATH": str(self.path), **self.environment})
        world = World(
            start=self._called(stderr),
            fetch=self.cloud.fetch,
            run=self._program,
            ask=lambda question: self.answers.pop(0),
            now=lambda: self.time,
        )
        with redirect_stdout(stdout), redirect_stderr(stderr), environment, patch("time.sleep"):
            try:
                main(flags or REQUIRED, self.root, world)
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
                if isinstance(ended.code, str):
                    stderr.write(f"{ended.code}\n")
            finally:
                os.chdir(folder)
        return Done(code, stdout.getvalue(), stderr.getvalue())

    def must(self, *flags: str) -> list[Line]:
        """Deploy, which must end well. Returns the commands that changed something."""
        self.cloud.calls.clear()
        done = self.deploy(*flags)
        assert done.returncode == 0, done.stderr
        return self.cloud.changes()

    def _called(self, stderr: io.StringIO) -> Callable[[Call], Ended]:
        def call(one: Call) -> Ended:
            ended = self.cloud(one)
            if not one.takes_errors:
                stderr.write(ended.stderr)
            return ended

        return call

    def _program(self, command: Sequence[str]) -> int:
        self.programs.append([*command])
        return 0

    def run(self, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run deploy.sh of a whole checkout in a process of its own, with the recording gcloud."""
        environment = {"PATH": str(self.path), **environment}
        command = [str(self.root / "deploy.sh"), *flags]
        return subprocess.run(command, env=environment, cwd=self.path, capture_output=True, text=True, check=False)

    def commands(self, *flags: str) -> list[Line]:
        """The commands that a dry run prints, split into words."""
        done = self.deploy("--dry-run", *(flags or REQUIRED))
        assert done.returncode == 0, done.stderr
        words = [shlex.split(line) for line in done.stdout.splitlines()]
        assert {first for first, *_ in words} == {"gcloud"}
        return [rest for _, *rest in words]

    def calls(self) -> list[Line]:
        """The arguments of each call of gcloud."""
        return [list(call.words) for call in self.cloud.calls]

    def recorded(self) -> list[Line]:
        """The arguments of each call of the gcloud on the PATH."""
        calls = self.path / "gcloud.calls"
        return [line.split("\x1f") for line in calls.read_text().splitlines()] if calls.exists() else []

    def write_env(self, text: str) -> None:
        (self.root / ".env").write_text(text)

    def change_source(self) -> None:
        """Make the next image another one."""
        with (self.root / "shared/errors.py").open("a") as file:
            file.write("# changed\n")


def make(folder: Path, *, whole: bool = False) -> Checkout:
    shared = Path(_shared().name)
    copy = Checkout(folder / "checkout", _path(folder / "bin") if whole else shared / "bin")
    for file in (*FILES, *(PROGRAM if whole else FEW)):
        (copy.root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, copy.root / file)
    if not whole:
        (copy.root / "infra").symlink_to(shared / "infra")
        return copy
    (copy.root / "deploy.sh").chmod(0o755)
    for part in ("functions", "shared", "infra/cloud"):
        shutil.copytree(ROOT / part, copy.root / part, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def _path(folder: Path) -> Path:
    """Make the PATH."""
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    (folder / "python3").symlink_to(sys.executable)
    (folder / "gcloud").write_text(FAKE_GCLOUD)
    (folder / "gcloud").chmod(0o755)
    return folder


@cache
def _shared() -> TemporaryDirectory[str]:
    """A PATH and a copy of infra/, which are removed when the process ends."""
    folder = TemporaryDirectory()
    _path(Path(folder.name) / "bin")
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    shutil.copytree(ROOT / "infra", Path(folder.name) / "infra", ignore=ignored)
    return folder


def those(commands: Sequence[Any], *beginning: str) -> list[Line]:
    return [command for command in commands if command[: len(beginning)] == list(beginning)]


def option(command: Line, name: str) -> str:
    (value,) = [word.removeprefix(f"{name}=") for word in command if word.startswith(f"{name}=")]
    return value


def deployed(commands: list[Line], function: str) -> Line:
    (command,) = those(commands, "run", "deploy", FUNCTIONS[function].account)
    return command


def variables(command: Line) -> dict[str, str]:
    """The variables of --set-env-vars, split as `gcloud topic escaping` describes."""
    text = option(command, "--set-env-vars")
    assert text.startswith("^@^")
    return dict(part.split("=", 1) for part in text.removeprefix("^@^").split("@"))
