"""Runs gcloud, or only shows what it would run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass


class Failed(Exception):
    """gcloud has failed. It has said why on stderr."""

    def __init__(self, status: int) -> None:
        super().__init__(f"gcloud has ended with {status}")
        self.status = status


class NoAnswer(Exception):
    """Google Cloud still does not know what it was asked for."""


_NOT_THERE = re.compile(r"not found|not_found|\b404\b", re.IGNORECASE)
_NOT_ENABLED = re.compile("has not been used in project", re.IGNORECASE)
_LAGS = re.compile(rf"does not exist|{_NOT_THERE.pattern}|{_NOT_ENABLED.pattern}", re.IGNORECASE)
"""What gcloud says about something new until all of Google Cloud knows it: a new account can be given no role, and
a newly enabled API cannot be called.
https://cloud.google.com/iam/docs/access-change-propagation
"""
_PAUSE = 10.0
_PATIENCE = 300.0
"""Seconds between two attempts, and until giving up."""


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
    """Runs commands for one project. Each is shown first: in a dry run on stdout, and nothing is run."""

    def __init__(
        self,
        project: str,
        *,
        dry_run: bool,
        start: Callable[[Call], Ended] = start,
    ) -> None:
        self.dry_run = dry_run
        self._common = (f"--project={project}", "--quiet")
        self._start = start

    def run(self, *words: str) -> None:
        """Raises Failed."""
        _checked(self._call(Call(words=self._shown(words))))

    def run_once_known(self, *words: str) -> None:
        """Like `run`, for a command about something new, which not all of Google Cloud knows at once. Raises
        Failed.
        """
        _checked(self._once_known(Call(words=self._shown(words), takes_errors=True), _LAGS))

    def create(self, *words: str) -> None:
        """Like `run`, but what is there already stays as it is. Raises Failed."""
        call = Call(words=self._shown(words), takes_output=True, takes_errors=True)
        ended = self._once_known(call, _NOT_ENABLED)
        said = ended.stdout + ended.stderr
        print(said, end="", file=sys.stderr)
        if ended.status != 0 and "already exists" not in said.lower().replace("_", " "):
            raise Failed(ended.status)

    def look(self, placeholder: str, *words: str) -> str:
        """What gcloud answers; in a dry run the placeholder. Raises Failed."""
        call = Call(words=self._shown(words), takes_output=True, takes_errors=True)
        answer = _checked(self._once_known(call, _NOT_ENABLED))
        return placeholder if self.dry_run else answer

    def ask(self, placeholder: str, *words: str) -> str:
        """Like `look`, but waits until there is an answer. Raises NoAnswer too."""
        for _ in self._attempts(f"gcloud {' '.join(words[:3])} has an answer"):
            if answer := self.look(placeholder, *words):
                return answer
        raise NoAnswer(f"there is no answer to gcloud {' '.join(words)}: run deploy.sh again later")

    def find(self, *words: str) -> str | None:
        """What gcloud says of something, None if that does not exist; in a dry run, None. Raises Failed."""
        call = Call(words=self._shown(words), takes_output=True, takes_errors=True)
        ended = self._once_known(call, _NOT_ENABLED)
        if self.dry_run or (ended.status != 0 and _NOT_THERE.search(ended.stderr)):
            return None
        return _checked(ended)

    def _once_known(self, call: Call, lags: re.Pattern[str]) -> Ended:
        for _ in self._attempts(f"gcloud {' '.join(call.words[:3])} knows what is new"):
            ended = self._call(call)
            if ended.status == 0 or not lags.search(ended.stderr):
                break
        return ended

    def _attempts(self, until: str) -> Iterator[None]:
        """Yields before each attempt, with pauses in between, in which it says what it waits for."""
        yield
        for _ in range(round(_PATIENCE / _PAUSE)):
            print(f"deploy.sh: waiting until {until}", file=sys.stderr, flush=True)
            time.sleep(_PAUSE)
            yield

    def pass_on(
        self, making: Sequence[str], keeping: Sequence[str], holds: Callable[[str], bool]
    ) -> tuple[str, bool]:
        """Make a secret with one command and give it to another on stdin, so that it is on no command line.

        Returns the secret, and whether `keeping` got it and ended well. It does not get what `holds` rejects.
        gcloud would log the secret to a file of its own, so that is off. Raises Failed if none was made.
        """
        made, kept = self._shown(making), self._shown(keeping)
        if self.dry_run:
            return "", True
        quiet = {"CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1"}
        secret = _checked(self._call(Call(words=made, takes_output=True, environment=quiet)))
        return secret, holds(secret) and self._start(Call(words=kept, secret=secret)).status == 0

    def _shown(self, words: Sequence[str]) -> list[str]:
        """The whole command, which is shown."""
        command = [*words, *self._common]
        line = shlex.join(["gcloud", *command])
        if self.dry_run:
            print(line)
        else:
            print(f"+ {line}", file=sys.stderr, flush=True)
        return command

    def _call(self, call: Call) -> Ended:
        return Ended(0) if self.dry_run else self._start(call)


def _checked(ended: Ended) -> str:
    """What gcloud answered. Shows its errors that were taken. Raises Failed."""
    print(ended.stderr, end="", file=sys.stderr)
    if ended.status != 0:
        raise Failed(ended.status)
    return ended.stdout.strip("\n")
