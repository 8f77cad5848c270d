"""Runs gcloud, or only shows what it would run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Failed(Exception):
    """gcloud has failed. It has said why on stderr."""

    def __init__(self, status: int, said: str = "") -> None:
        super().__init__(f"gcloud has ended with {status}")
        self.status = status
        self.said = said
        """Its errors, where they were taken."""


class Denied(Failed):
    """Whoever is signed in may not do this."""


class NoAnswer(Exception):
    """Google Cloud still does not know what it was asked for."""


class Mode(Enum):
    RUN = "runs every command"
    DRY_RUN = "prints every command that an empty project needs, and runs none"
    CHECK = "runs what reads, and prints what would change something"


_NOT_THERE = re.compile(r"not found|not_found|\b404\b|matched no objects", re.IGNORECASE)
_NOT_ENABLED = re.compile("has not been used in project", re.IGNORECASE)
_DENIED = re.compile(r"\b403\b|does not have permission to access", re.IGNORECASE)
_LAGS = re.compile(rf"does not exist|{_NOT_THERE.pattern}|{_NOT_ENABLED.pattern}", re.IGNORECASE)
"""What gcloud says about something new until all of Google Cloud knows it: a new account can be given no role, and
a newly enabled API cannot be called.
https://cloud.google.com/iam/docs/access-change-propagation
"""
PAUSE = 10.0
PATIENCE = 300.0
"""Seconds between two attempts, and until giving up."""
_UNLOGGED = {"CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1"}
"""gcloud would log its output to a file of its own."""


@dataclass(frozen=True)
class Ended:
    """How a call of gcloud ended. Its output is empty unless it was asked for."""

    status: int
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of gcloud."""

    words: Sequence[str]
    """The command line after `gcloud`."""
    takes_output: bool = False
    """Whether its output is returned instead of shown."""
    takes_errors: bool = False
    secret: str | None = None
    """What it gets on stdin."""
    environment: Mapping[str, str] | None = None
    """Variables besides those of this process."""


def start(call: Call) -> Ended:
    """Run gcloud and wait for its end."""
    sys.stdout.flush()
    ended = subprocess.run(
        ["gcloud", *call.words],
        env={**_environment(), **(call.environment or {})},
        input=call.secret,
        stdin=subprocess.DEVNULL if call.secret is None else None,
        stdout=subprocess.PIPE if call.takes_output else None,
        stderr=subprocess.PIPE if call.takes_errors else None,
        text=True,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout or "", ended.stderr or "")


def _environment() -> dict[str, str]:
    """This process's variables, without those with which deploy.sh has Python find only our modules."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}


class Gcloud:
    """Runs commands for one project, and shows each of them first."""

    def __init__(self, project: str, mode: Mode, start: Callable[[Call], Ended] = start) -> None:
        self.mode = mode
        self.changes = 0
        """How many commands that change something were run or, in other modes, printed."""
        self._common = (f"--project={project}", "--quiet")
        self._start = start

    def run(self, *words: str) -> None:
        """Raises Failed."""
        _checked(self._change(Call(words=self._changing(words))))

    def run_once_known(self, *words: str, patience: float = PATIENCE) -> None:
        """Like `run`, for a command about something new, which not all of Google Cloud knows at once. Raises
        Failed.
        """
        call = Call(words=self._changing(words), takes_errors=True)
        _checked(self._once_known(lambda: self._change(call), words, _LAGS, patience))

    def create(self, *words: str) -> None:
        """Like `run`, but what is there already stays as it is. Raises Failed."""
        call = Call(words=self._changing(words), takes_output=True, takes_errors=True)
        ended = self._once_known(lambda: self._change(call), words, _LAGS)
        said = ended.stdout + ended.stderr
        print(said, end="", file=sys.stderr)
        if ended.status != 0 and "already exists" not in said.lower().replace("_", " "):
            raise Failed(ended.status)

    def read(self, *words: str, placeholder: Any = ()) -> Any:
        """What gcloud answers, decoded from JSON. In a dry run it is the placeholder, and in a check without the
        API too: nobody has turned that on just now, so there is nothing to wait for. Raises Failed.
        """
        ended = self._look((*words, "--format=json"))
        if self.mode is Mode.DRY_RUN or self._lacks_api(ended):
            return placeholder
        return json.loads(_checked(ended) or "[]")

    def find(self, *words: str) -> Any:
        """Like `read`, but None for something that does not exist, and in a dry run. Raises Failed."""
        answer = self.find_text(*words, "--format=json")
        return None if answer is None else json.loads(answer)

    def find_text(self, *words: str) -> str | None:
        """Like `find`, for an answer that is no JSON."""
        ended = self._look(words)
        missing = ended.status != 0 and _NOT_THERE.search(ended.stderr)
        if self.mode is Mode.DRY_RUN or missing or self._lacks_api(ended):
            return None
        return _checked(ended)

    def reveal(self, *words: str) -> str:
        """A secret that gcloud prints. It is neither shown nor logged; in a dry run it is empty. Raises Failed."""
        call = Call(words=self._shown(words), takes_output=True, environment=_UNLOGGED)
        return "" if self.mode is Mode.DRY_RUN else _checked(self._start(call))

    def typed(self, command: str) -> str:
        """A command for a person to type, whose gcloud may be set to another project."""
        return f"gcloud {command} {self._common[0]}"

    def attempts(self, until: str, patience: float = PATIENCE) -> Iterator[None]:
        """Yields before each attempt, with pauses in between, in which it says what it waits for. Only once
        unless commands are run.
        """
        yield
        for _ in range(round(patience / PAUSE) if self.mode is Mode.RUN else 0):
            print(f"deploy.sh: waiting until {until}", file=sys.stderr, flush=True)
            time.sleep(PAUSE)
            yield

    def pass_on(
        self, making: Sequence[str], keeping: Sequence[str], holds: Callable[[str], bool]
    ) -> tuple[str, bool]:
        """Make a secret with one command and give it to another on stdin, so that it is on no command line.

        Returns the secret, and whether `keeping` got it and ended well. It does not get what `holds` rejects. Both
        wait for what is new, like `run_once_known`. Raises Failed if none was made.
        """
        made, kept = self._changing(making), self._changing(keeping)
        if self.mode is not Mode.RUN:
            return "", True
        make = Call(words=made, takes_output=True, takes_errors=True, environment=_UNLOGGED)
        secret = _checked(self._once_known(lambda: self._start(make), making, _LAGS))
        if not holds(secret):
            return secret, False
        keep = Call(words=kept, takes_errors=True, secret=secret)
        ended = self._once_known(lambda: self._start(keep), keeping, _LAGS)
        print(ended.stderr, end="", file=sys.stderr)
        return secret, ended.status == 0

    def _lacks_api(self, ended: Ended) -> bool:
        return self.mode is Mode.CHECK and ended.status != 0 and bool(_NOT_ENABLED.search(ended.stderr))

    def _look(self, words: Sequence[str]) -> Ended:
        call = Call(words=self._shown(words), takes_output=True, takes_errors=True)
        if self.mode is Mode.DRY_RUN:
            return Ended(0)
        return self._once_known(lambda: self._start(call), words, _NOT_ENABLED)

    def _change(self, call: Call) -> Ended:
        return self._start(call) if self.mode is Mode.RUN else Ended(0)

    def _once_known(
        self,
        attempt: Callable[[], Ended],
        words: Sequence[str],
        lags: re.Pattern[str],
        patience: float = PATIENCE,
    ) -> Ended:
        for _ in self.attempts(f"gcloud {' '.join(words[:3])} knows what is new", patience):
            ended = attempt()
            if ended.status == 0 or not lags.search(ended.stderr):
                break
        return ended

    def _changing(self, words: Sequence[str]) -> list[str]:
        self.changes += 1
        return self._shown(words, changes=True)

    def _shown(self, words: Sequence[str], *, changes: bool = False) -> list[str]:
        """The whole command, which is shown: on stdout if it is what was asked for."""
        command = [*words, *self._common]
        line = shlex.join(["gcloud", *command])
        if self.mode is Mode.DRY_RUN or (self.mode is Mode.CHECK and changes):
            print(line)
        elif self.mode is Mode.RUN:
            print(f"+ {line}", file=sys.stderr, flush=True)
        return command


def _checked(ended: Ended) -> str:
    """What gcloud answered. Shows its errors that were taken. Raises Failed, and Denied if it knows why."""
    print(ended.stderr, end="", file=sys.stderr)
    if ended.status != 0:
        raise (Denied if _DENIED.search(ended.stderr) else Failed)(ended.status, ended.stderr)
    return ended.stdout.strip("\n")
