"""Finds the events that the functions log, by parsing their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from infra.stage import ROOT

LEVELS = ("info", "warning", "error", "exception")
ERRORS = ("error", "exception")
SOURCES = [
    file
    for folder in ("functions", "shared")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if file != ROOT / "shared/log.py"
]


@dataclass(frozen=True)
class Logged:
    event: str
    level: str
    fields: frozenset[str]
    """The names of the fields that the call spells out."""


@cache
def all_logged() -> tuple[Logged, ...]:
    """Every event that a function logs or that shared code logs for one."""
    return tuple(one for file in SOURCES for one in logged(file.read_text()))


def errors() -> set[str]:
    return {one.event for one in all_logged() if one.level in ERRORS}


def logged(source: str) -> Iterator[Logged]:
    """The events of one file. Raises ValueError for a use of `log` whose event cannot be told."""
    tree = ast.parse(source)
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        imported = [node.module] if isinstance(node, ast.ImportFrom) else []
        imported += [name.name for name in node.names] if isinstance(node, ast.Import) else []
        if {"shared.log", "logging"} & {*imported}:
            raise ValueError("it logs in another way than by calls of log")
        if not (isinstance(node, ast.Attribute) and node.attr in LEVELS):
            continue
        if not (isinstance(node.value, ast.Name) and node.value.id == "log"):
            continue
        parent = parents[node]
        called = isinstance(parent, ast.Call) and parent.func is node
        for call in [parent] if called else _by_its_name(node, parents):
            yield from _events(call, node.attr)


def _by_its_name(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> list[ast.AST]:
    """The calls of the local name that stands for the function: `tell = log.warning if passing else log.error`."""
    name, scope = "", node
    while not isinstance(scope, ast.FunctionDef | ast.Module):
        if isinstance(scope, ast.Assign) and isinstance(scope.targets[0], ast.Name):
            name = scope.targets[0].id
        scope = parents[scope]
    calls: list[ast.AST] = [
        call
        for call in ast.walk(scope)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name
    ]
    if not calls:
        raise ValueError(f"line {getattr(node, 'lineno', '?')}: nothing calls this, so its events cannot be told")
    return calls


def _events(call: ast.AST, level: str) -> Iterator[Logged]:
    assert isinstance(call, ast.Call)
    fields = frozenset(keyword.arg for keyword in call.keywords if keyword.arg)
    event = call.args[0] if call.args else None
    for one in (event.body, event.orelse) if isinstance(event, ast.IfExp) else (event,):
        if not (isinstance(one, ast.Constant) and isinstance(one.value, str)):
            raise ValueError(f"line {call.lineno}: the event is not spelled out")
        yield Logged(one.value, level, fields)
