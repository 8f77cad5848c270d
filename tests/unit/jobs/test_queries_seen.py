"""Checks that test_indexes.py runs every query. Finds the queries in the code, so that no new one is missed."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import sys
from collections.abc import Iterable
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any

import pytest

import shared
from tests.unit.jobs.test_indexes import ASKED, queries_of

MODULES = [import_module(one.name) for one in pkgutil.walk_packages(shared.__path__, "shared.") if not one.ispkg]
CLIENTS = {"firestore.Client", "FirestoreClient"}
"""The client's names in annotations."""
QUERYING = {"where", "order_by", "collection_group", "find_nearest", "StructuredQuery"}
"""Calls that create a query that may need an index: the library's methods and its message."""
WITHOUT_QUERIES = {
    *("JobRepository.get", "JobRepository.live_before"),
    *("Ledger.read", "Ledger.change", "Ledger.displaced", "Ledger.record_dead_letter"),
    *(
        "Shares.renew",
        "Shares.change",
        "Shares.revoke",
        "Completions.complete",
        "KnownPictures.set",
        "Renaming.rename",
        "StalledJobs.record",
    ),
    *("Views.add", "Views.move"),
    *("Erasures.request", "Erasures.of", "Erasures.advance", "Erasures.record_sweep"),
}
"""Methods that only read and write documents by id."""
Place = tuple[str, str]
"""A file, and the qualified name of a function or method in it."""


@pytest.fixture(scope="module")
def ran() -> set[Place]:
    """The code that ran in this thread during all calls of ASKED."""
    found: set[Place] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        found.add((frame.f_code.co_filename, frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for ask in ASKED.values():
            queries_of(ask)
    finally:
        sys.setprofile(before)
    return found


def classes_with_a_client(modules: Iterable[ModuleType]) -> set[type]:
    """Classes whose constructor takes a Firestore client. A dataclass's fields are its arguments."""
    classes = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    # Compares text, because imports for type checking do not exist at run time.
    return {
        one for one in classes if CLIENTS & {*inspect.get_annotations(vars(one).get("__init__", one)).values()}
    }


def public_methods(classes: Iterable[type]) -> set[str]:
    return {f"{one.__name__}.{name}" for one in classes for name in vars(one) if not name.startswith("_")}


def functions_that_query(source: str) -> set[str]:
    """Qualified names of the functions and methods that create a query."""
    found: set[str] = set()

    def visit(node: ast.AST, name: str, is_function: bool) -> None:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not is_function:
            name = f"{name}.{node.name}" if name else node.name
            is_function = isinstance(node, ast.FunctionDef)
        if isinstance(node, ast.Call) and _name(node.func) in QUERYING:
            found.add(name)
        for child in ast.iter_child_nodes(node):
            visit(child, name, is_function)

    visit(ast.parse(source), "", False)
    return found


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""


def test_every_method_of_a_class_with_a_client_is_asked_or_known_to_query_nothing(ran: set[Place]) -> None:
    methods = public_methods(classes_with_a_client(MODULES))
    assert methods - {name for _, name in ran} - WITHOUT_QUERIES == set()
    assert methods >= WITHOUT_QUERIES


def test_every_function_in_which_a_query_is_made_is_asked(ran: set[Place]) -> None:
    places = {
        (str(one.__file__), name) for one in MODULES for name in functions_that_query(inspect.getsource(one))
    }
    assert len(places) >= 4
    assert places - ran == set()


@pytest.mark.parametrize("asked", ASKED)
def test_no_query_asks_for_a_field_twice(asked: str) -> None:
    for query in queries_of(ASKED[asked]):
        fields = [field.field_path for field in query.select.fields]
        assert len(fields) == len({*fields})


def test_a_new_class_with_a_client_is_noticed() -> None:
    module = ModuleType("stub")
    source = """
from __future__ import annotations
class Stub:
    def __init__(self, client: firestore.Client) -> None: ...
    def find(self) -> object: ...
class Other:
    def find(self) -> object: ...
"""
    exec(source, module.__dict__)
    assert public_methods(classes_with_a_client([module])) == {"Stub.find"}


def test_a_query_in_a_new_place_is_noticed() -> None:
    source = """
class Stub:
    def find(self):
        def later():
            return self._links.order_by("made_at").limit(1).get()
        return later

    def get(self):
        return self._links.document("a").get()

    def raw(self):
        return StructuredQuery()

def claim(client):
    return client.collection("jobs").where("a", "==", 1).get()
"""
    assert functions_that_query(source) == {"Stub.find", "Stub.raw", "claim"}
