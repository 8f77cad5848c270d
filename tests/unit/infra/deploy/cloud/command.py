"""A command of gcloud, split into what it is about and its flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

PROJECT = "nuumee-test"
NUMBER = "123456"


class NotThere(Exception):
    """What a command is about does not exist."""


class Denied(Exception):
    """What a command is about is somebody else's."""


class AlreadyThere(Exception):
    """What a command makes exists."""


@dataclass
class Command:
    words: Sequence[str]
    named: list[str] = field(default_factory=list)
    """The words that are no flags, after those of the command itself."""
    secret: str | None = None

    @cached_property
    def flags(self) -> dict[str, str]:
        """The last value of each flag; empty where it has none."""
        pairs = (word.partition("=") for word in self.words if word.startswith("--"))
        return {name: value for name, _, value in pairs}

    def all(self, flag: str) -> list[str]:
        return [word.partition("=")[2] for word in self.words if word.startswith(f"{flag}=")]

    def pairs(self, flag: str) -> dict[str, str]:
        """The value of a flag that takes a dictionary."""
        text = self.flags.get(flag, "")
        return dict(part.split("=", 1) for part in text.split(",")) if text else {}


def path(kind: str, name: str) -> str:
    return f"projects/{PROJECT}/{kind}/{name}"


def only(found: Any | None) -> Any:
    if found is None:
        raise NotThere
    return found
