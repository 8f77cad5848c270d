"""What each function works with, by its code, and what its account may do, by the table of functions.

`python -m tests.unit.infra.who_may_what` writes the table into docs/security.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from infra.functions import Function, table
from infra.stage import ROOT
from shared.settings import Settings
from shared.web.endpoint import Endpoint
from tests.enumerated import FOUND, Functions

FILE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- who may what -->\n", "<!-- end of who may what -->"
DEFAULTS = Settings(project="", allowed_origins=())
FIRESTORE, STORAGE, AUTH, DEAD_LETTERS = "Firestore", "Cloud Storage", "Firebase Auth", "dead letters"
_CLIENTS = {"firestore": FIRESTORE, "storage": STORAGE, "_dead_letters": DEAD_LETTERS}
"""The methods of Services that make a client."""


def parts() -> dict[str, set[str]]:
    """What each part of Services reaches: services of Google, and topics by their settings."""
    tree = ast.parse((ROOT / "shared/services.py").read_text())
    (services,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Services")
    methods = {node.name: node for node in services.body if isinstance(node, ast.FunctionDef)}

    def reached(name: str) -> set[str]:
        if name in _CLIENTS:
            return {_CLIENTS[name]}
        text = ast.unparse(methods[name])
        topics = {*re.findall(r"self\._publisher\(self\.settings\.(\w+)\)", text)}
        others = {*re.findall(r"self\.(\w+)", text)} & methods.keys() - {name, "_publisher"}
        return topics.union(*map(reached, others))

    return {name: reached(name) for name in methods if not name.startswith("_")}


def works_with(name: str, source: str, functions: Functions = FOUND) -> set[str]:
    """What a function's code reaches. Verifying a token needs no permission, except to ask for its revocation."""
    found = parts()
    used = set().union(*(found.get(part, ()) for part in re.findall(r"services\.(\w+)", source)))
    function = functions[name]
    return used | ({AUTH} if isinstance(function, Endpoint) and function._check_revoked else set())


def may(function: Function) -> set[str]:
    """What its account's roles open. Raises ValueError for a role on the project that opens anything else."""
    return {_opened(role.name, role.on) for role in function.roles}


def _opened(role: str, on: str) -> str:
    if on == "project":
        by_role = {FIRESTORE: ("datastore", "firestore"), AUTH: ("firebaseauth",)}
        for service, words in by_role.items():
            if any(word in role.lower() for word in words):
                return service
        raise ValueError(f"{role} on the whole project")
    return {"buckets": STORAGE, "outputs": STORAGE, "pictures": STORAGE, "dead-letters": DEAD_LETTERS}.get(on, on)


def source_of(name: str) -> str:
    return (ROOT / f"functions/{name}.py").read_text()


def rendered() -> str:
    lines = ["| function | who calls it | its account's roles | works with |", "| --- | --- | --- | --- |"]
    for name, function in table().functions.items():
        reached = ", ".join(sorted(_in_words(one) for one in works_with(name, source_of(name))))
        lines.append(f"| `{name}` | {_caller(function)} | {_roles(function)} | {reached} |")
    lines += ["", "| role of the project's own | its permissions |", "| --- | --- |"]
    for role in table().custom_roles.values():
        lines.append(f"| `{role.id}` | {', '.join(f'`{one}`' for one in sorted(role.permissions))} |")
    return "\n".join(lines) + "\n"


def _caller(function: Function) -> str:
    if function.topic:
        return f"Pub/Sub, with `{table().topic_name(function.topic, DEFAULTS)}`"
    return "anybody" if function.public else "users, with an ID token"


def _roles(function: Function) -> str:
    places = {
        "project": "the project",
        "buckets": "the three buckets",
        "outputs": "the outputs' bucket",
        "pictures": "pictures in the three buckets",
        "dead-letters": "the dead letters' subscriptions",
    }
    by_place: dict[str, list[str]] = {}
    for role in function.roles:
        place = places.get(role.on) or f"`{table().topic_name(role.on, DEFAULTS)}`"
        by_place.setdefault(place, []).append(f"`{role.name.removeprefix('roles/')}`")
    texts = [f"{_and(roles)} on {place}" for place, roles in by_place.items()]
    return "; ".join([*texts, *(["the signing key"] if function.signs else [])])


def _in_words(reached: str) -> str:
    return f"topic `{table().topic_name(reached, DEFAULTS)}`" if reached.endswith("_topic") else reached


def _and(words: Iterable[str]) -> str:
    return " and ".join(words)


if __name__ == "__main__":
    before, _, rest = FILE.read_text().partition(BEGIN)
    FILE.write_text(before + BEGIN + rendered() + END + rest.partition(END)[2])
