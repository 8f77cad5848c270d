"""Finds the functions in the code instead of listing them, so that tests of all functions cover new ones too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from infra.functions import EVERY_MINUTE, Role, Route, Table
from infra.stage import ROOT
from shared.messaging.events import JobDeleted, JobRestored, JobsErased, MinutePassed, ObjectFinalized, VideoViewed
from shared.messaging.subscriber import Subscriber
from shared.web.endpoint import Endpoint, HttpFunction
from shared.web.public_endpoint import PublicEndpoint

Functions = Mapping[str, HttpFunction | Subscriber[Any]]
FOUND: Functions = {
    file.stem: getattr(import_module(f"functions.{file.stem}"), file.stem)
    for file in sorted((ROOT / "functions").glob("*.py"))
    if file.stem != "__init__"
}
TOPICS = {
    JobDeleted: "job_deleted_topic",
    JobRestored: "job_restored_topic",
    JobsErased: "jobs_erased_topic",
    ObjectFinalized: "object_finalized_topic",
    VideoViewed: "video_viewed_topic",
    MinutePassed: EVERY_MINUTE,
}
"""What is published to each topic, by the table's topic names."""
BODIES = {"PATCH /jobs/{job_id}": {"name": "First try"}, "PATCH /jobs/{job_id}/share": {"expires_at": None}}
"""Of the requests that need one, by operation."""


@dataclass(frozen=True)
class Operation:
    """A method on a path, and the function that handles it."""

    function: str
    endpoint: HttpFunction
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def changes_something(self) -> bool:
        return self.method not in ("GET", "HEAD")


def operations(functions: Functions) -> list[Operation]:
    return [
        Operation(name, function, method, path)
        for name, function in functions.items()
        if isinstance(function, HttpFunction)
        for path in function._routes.paths
        for method in function._methods
    ]


def for_users(functions: Functions) -> list[Operation]:
    """All operations that need a token, that is, all but the public ones. HEAD is GET without the content."""
    return [
        one
        for one in operations(functions)
        if not isinstance(one.endpoint, PublicEndpoint) and one.method != "HEAD"
    ]


def about_one_thing(functions: Functions) -> list[Operation]:
    """All operations with the id of a job or link in their path."""
    return [one for one in operations(functions) if "{" in one.path and one.method != "HEAD"]


def consumers(functions: Functions) -> list[Subscriber[Any]]:
    return [function for function in functions.values() if isinstance(function, Subscriber)]


def disagreements(functions: Functions, table: Table) -> list[str]:
    """Differences between the table and the code."""
    found = [f"{name} has no row" for name in functions.keys() - table.functions.keys()]
    found += [f"{name} has no file" for name in table.functions.keys() - functions.keys()]
    for name in functions.keys() & table.functions.keys():
        function, row = functions[name], table.functions[name]
        answered = {Route(one.method, one.path) for one in operations({name: function}) if one.method != "HEAD"}
        if answered != {*row.routes}:
            found.append(f"{name} has other routes")
        if isinstance(function, PublicEndpoint) != row.public:
            found.append(f"{name} is public in one of the two")
        if (TOPICS[function._kind] if isinstance(function, Subscriber) else None) != row.topic:
            found.append(f"{name} gets other messages than it consumes")
        if (isinstance(function, HttpFunction) and function.signs) != row.signs:
            found.append(f"{name} signs URLs in one of the two")
        has_role = Role("roles/firebaseauth.viewer", "project") in row.roles
        if (isinstance(function, Endpoint) and function._check_revoked) != has_role:
            found.append(f"{name} checks for revoked sessions, or has the role for that, but not both")
    return sorted(found)
