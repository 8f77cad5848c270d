"""Reads, checks and types the table of functions, infra/functions.toml.

Needs only Python's standard library, because deploy.sh reads it before any set-up.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:
    sys.exit(f"infra/functions.toml: reading it takes Python 3.11 or newer, and this is {sys.version.split()[0]}")

from shared.settings import Settings

FILE = Path(__file__).with_name("functions.toml")
EVERY_MINUTE = "every_minute_topic"
TOPICS = (*(field.name for field in fields(Settings) if field.name.endswith("_topic")), EVERY_MINUTE)
"""The topics as the table names them: those of the settings, and EVERY_MINUTE."""
PLACES = ("project", "buckets", "outputs", "pictures", "dead-letters", *TOPICS)
"""The resources on which an account may have a role."""


class TableError(Exception):
    """The table is invalid. The message is one sentence that says where."""


@dataclass(frozen=True)
class Route:
    method: str
    """GET includes HEAD."""
    path: str


@dataclass(frozen=True)
class Role:
    name: str
    """A predefined role, `roles/...`, or the id of a custom one."""
    on: str
    """One of PLACES."""


@dataclass(frozen=True, kw_only=True)
class CustomRole:
    """A role of the project's own: https://cloud.google.com/iam/docs/creating-custom-roles"""

    id: str
    title: str
    permissions: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Function:
    """A row of the table. It has either routes or a topic."""

    name: str
    memory: str
    cpu: int
    concurrency: int
    timeout: int
    """Seconds."""
    roles: tuple[Role, ...]
    routes: tuple[Route, ...] = ()
    public: bool = False
    """Whether it answers anyone, without a token."""
    signs: bool = False
    """Whether it signs URLs."""
    topic: str | None = None
    """One of TOPICS."""
    retry: bool = False
    """Whether a failed event is retried and finally goes to the topic's dead letters."""

    @property
    def account(self) -> str:
        return self.name.replace("_", "-")

    @property
    def server(self) -> dict[str, str]:
        """Variables for the server and the C library.

        With one arena for all threads, a process takes 4 MiB less. When no thread keeps freed memory for itself,
        it takes up to 3 MiB less. A page of jobs takes no more CPU for it.
        https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html
        """
        tunables = {"MALLOC_ARENA_MAX": "1", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
        return {"THREADS": str(self.threads), **tunables}

    @property
    def threads(self) -> int:
        """gunicorn's threads, one per request. Its default is four per CPU; further requests queue.

        With a single thread, gunicorn uses another worker type, which waits two seconds for each connection to
        end.
        """
        return max(2, self.concurrency)


@dataclass(frozen=True, kw_only=True)
class Table:
    functions: Mapping[str, Function]
    custom_roles: Mapping[str, CustomRole]
    every_minute_topic: str
    attempts: int
    ack_deadline: int
    dead_letters_ack_deadline: int

    def topic_name(self, topic: str, settings: Settings) -> str:
        """The name that one of TOPICS has in a deployment."""
        return str(getattr(self if topic == EVERY_MINUTE else settings, topic))

    @property
    def retried_topics(self) -> tuple[str, ...]:
        """The topics that have dead letters."""
        topics = (function.topic for function in self.functions.values() if function.retry)
        return tuple(dict.fromkeys(topic for topic in topics if topic))


@cache
def table() -> Table:
    """The contents of infra/functions.toml. Raises TableError."""
    return read(FILE.read_text())


def read(text: str) -> Table:
    """Parse a table. Raises TableError if `text` is not a valid one."""
    try:
        file = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TableError(f"it is no TOML: {error}") from None
    _check("the file", file, {"custom_roles", "defaults", "events", "functions"})
    _check("defaults", file["defaults"], _SIZES)
    _check("events", file["events"], {EVERY_MINUTE, "attempts", "ack_deadline", "dead_letters_ack_deadline"})
    custom_roles = {role: _custom_role(role, row) for role, row in file["custom_roles"].items()}
    functions = {name: _function(name, row, file["defaults"]) for name, row in file["functions"].items()}
    served: dict[Route, str] = {}
    for name, function in functions.items():
        for route in function.routes:
            if served.setdefault(route, name) != name:
                raise TableError(f"{served[route]} and {name} both answer {route.method} {route.path}")
        for role in function.roles:
            if not role.name.startswith("roles/") and role.name not in custom_roles:
                raise TableError(f"{name} has the role {role.name}, which custom_roles does not have")
    return Table(functions=functions, custom_roles=custom_roles, **file["events"])


def _custom_role(role: str, row: object) -> CustomRole:
    if not re.fullmatch(_CUSTOM_ROLE, role):
        raise TableError(f"{role} is no custom role's id, which is nuumeeJobs and letters, at most 64 characters")
    if not isinstance(row, dict):
        raise TableError(f"{role} is no table")
    _check(role, row, {"title", "permissions"})
    return CustomRole(id=role, title=row["title"], permissions=frozenset(row["permissions"]))


def _function(name: str, row: object, defaults: Mapping[str, Any]) -> Function:
    # Its account has the same name: https://cloud.google.com/iam/docs/service-accounts-create#creating
    if not re.fullmatch("[a-z][a-z0-9_]{4,28}[a-z0-9]", name):
        raise TableError(f"{name} is no name of 6 to 30 small letters, digits and _, a letter first and no _ last")
    if not isinstance(row, dict):
        raise TableError(f"{name} is no table")
    given = {**defaults, **row}
    if "topic" in given:
        _check(name, given, {"topic", "retry", "roles", *_SIZES})
    else:
        _check(name, given, {"routes", "roles", *_SIZES}, {"public", "signs"})
    roles = tuple(Role(role, on) for on, roles in given.pop("roles").items() for role in roles)
    routes = tuple(Route(*route.split(" ")) for route in given.pop("routes", ()))
    return Function(name=name, roles=roles, routes=routes, **given)


def _text(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and bool(re.fullmatch(pattern, value))


def _number(least: int, most: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _some(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda values: isinstance(values, list) and bool(values) and all(map(holds, values))


def _table(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda table: isinstance(table, dict) and all(map(holds, table.values()))


_CUSTOM_ROLE = "nuumeeJobs[A-Za-z]{1,54}"
"""Beginning with the product, because a project has one list of roles."""
_ROUTE = r"(GET|POST|PUT|PATCH|DELETE) (/([A-Za-z0-9._-]+|\{[a-z_]+\}))+"
_ROLE = f"roles/[A-Za-z.]+|{_CUSTOM_ROLE}"
_ANY_TABLE = (_table(lambda _: True), "a table")
_FLAG = (lambda value: isinstance(value, bool), "true or false")
_SIZES = {"memory", "cpu", "concurrency", "timeout"}
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "defaults": _ANY_TABLE,
    "events": _ANY_TABLE,
    "functions": _ANY_TABLE,
    "custom_roles": _ANY_TABLE,
    "title": (_text("[^\n]{1,100}"), "a title of at most 100 characters"),
    "permissions": (_some(_text("[a-z]+\\.[A-Za-z.]+")), 'a list such as ["storage.objects.get"]'),
    EVERY_MINUTE: (_text("[a-z][a-z-]{2,}"), "a topic's name"),
    "attempts": (_number(5, 100), "a whole number from 5 to 100"),
    "ack_deadline": (_number(10, 600), "a whole number from 10 to 600"),
    "dead_letters_ack_deadline": (_number(10, 600), "a whole number from 10 to 600"),
    "routes": (_some(_text(_ROUTE)), 'a list such as ["GET /jobs/{job_id}"]'),
    "public": _FLAG,
    "signs": _FLAG,
    "topic": (_text("|".join(TOPICS)), f"one of {', '.join(TOPICS)}"),
    "retry": _FLAG,
    "memory": (_text("[1-9][0-9]*(Mi|Gi)"), "a size such as 512Mi"),
    "cpu": (_number(1, 8), "a whole number from 1 to 8"),
    "concurrency": (_number(1, 1000), "a whole number from 1 to 1000"),
    "timeout": (_number(1, 3600), "a whole number from 1 to 3600"),
    "roles": (
        lambda roles: _table(_some(_text(_ROLE)))(roles) and roles and roles.keys() <= {*PLACES},
        f"a list of roles on one or several of {', '.join(PLACES)}",
    ),
}
"""The check for each key's value, and how an error describes it."""


def _check(where: str, part: Mapping[str, Any], required: set[str], optional: Set[str] = frozenset()) -> None:
    """Raise TableError unless the part has all required keys, no unknown ones, and only valid values."""
    if unknown := part.keys() - required - optional:
        raise TableError(f"{where} has {min(unknown)}, which means nothing there")
    if missing := required - part.keys():
        raise TableError(f"{where} has no {min(missing)}")
    for key, value in part.items():
        holds, what = _RULES[key]
        if not holds(value):
            raise TableError(f"{where} has {key} = {value!r}, which is not {what}")
