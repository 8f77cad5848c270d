"""What was released, or gone back to: which revision of each service, as a whole. Records are kept in the build
bucket.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from infra.cloud.gcloud import Mode
from infra.cloud.project import Project

_FILE = "build/release.json"


@dataclass(frozen=True)
class Record:
    id: str
    """The time, as in 20261126100334: later ones sort after earlier ones."""
    state: str
    """The commit and the time, for people."""
    revisions: Mapping[str, str]
    """By service."""
    served_at: str
    """When all requests had been moved to them, in the form of `id`, which is when deploy.sh began."""

    @classmethod
    def of(cls, line: str) -> Self:
        found = json.loads(line)
        # Earlier versions kept no such time.
        return cls(found["id"], found["state"], found["revisions"], found.get("served_at", found["id"]))

    def line(self) -> str:
        return json.dumps({**asdict(self), "revisions": dict(self.revisions)}) + "\n"

    def is_served(self, serving: Mapping[str, str | None]) -> bool:
        """Whether every service that is still there serves this release."""
        return all(serving.get(name, revision) == revision for name, revision in self.revisions.items())

    def of_those(self, services: Container[str]) -> dict[str, str]:
        """Its revisions of the services that are still there."""
        return {name: revision for name, revision in self.revisions.items() if name in services}


def before_present(records: Sequence[Record], serving: Mapping[str, str | None]) -> Sequence[Record]:
    """Those of the releases before the present one, or all if none is served as a whole.

    A rollback adds a second record of a release. The first one has its place: what came between was left.
    """
    present = next((record for record in reversed(records) if record.is_served(serving)), None)
    if present is None:
        return records
    return records[: next(at for at, record in enumerate(records) if record.revisions == present.revisions)]


class Releases:
    """The methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._folder = f"gs://{project.build_bucket}/releases"

    def all(self) -> list[Record]:
        """The oldest first."""
        found = self._project.gcloud.find_text("storage", "cat", f"{self._folder}/*.json")
        return sorted(map(Record.of, (found or "").splitlines()), key=lambda record: record.id)

    def add(self, record: Record) -> None:
        if self._project.gcloud.mode is Mode.RUN:
            (self._project.root / _FILE).write_text(record.line())
        self._project.gcloud.run("storage", "cp", _FILE, f"{self._folder}/{record.id}.json")
