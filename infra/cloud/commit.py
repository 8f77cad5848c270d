"""Which state of the checkout is released, and when."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

ID = "%Y%m%d%H%M%S"


@dataclass(frozen=True)
class Stamp:
    commit: str
    """The first twelve digits; "unknown" outside of a repository."""
    is_dirty: bool
    """Whether files differ from the commit."""
    time: datetime
    """When deploy.sh began."""
    now: Callable[[], datetime]

    @classmethod
    def of(cls, root: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Self:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain")
        return cls(commit or "unknown", changed != "", now(), now)

    @property
    def labels(self) -> dict[str, str]:
        """Small letters, digits, - and _: https://cloud.google.com/run/docs/configuring/services/labels"""
        dirty = "yes" if self.is_dirty else "no"
        return {"commit": self.commit, "released": self.time.strftime("%Y-%m-%dt%H-%M-%Sz"), "dirty": dirty}

    @property
    def id(self) -> str:
        return self.time.strftime(ID)

    def __str__(self) -> str:
        dirty = " dirty" if self.is_dirty else ""
        return f"{self.commit} {self.time.strftime('%Y-%m-%dT%H:%M:%SZ')}{dirty}"


def _git(root: Path, *words: str) -> str | None:
    if shutil.which("git") is None:
        return None
    ended = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    return ended.stdout.strip() if ended.returncode == 0 else None
