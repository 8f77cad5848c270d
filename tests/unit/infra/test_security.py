"""docs/security.md: every threat has a control that a test proves."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from infra.stage import ROOT
from tests.unit.infra.watching.runbook import sections

THREATS = sections((ROOT / "docs/security.md").read_text())


def proofs(section: str) -> list[str]:
    """The tests that a section names."""
    return re.findall(r"^- `([^`]+)`$", section, re.MULTILINE)


def exists(proof: str) -> bool:
    path, _, name = proof.partition("::")
    file = ROOT / "tests" / path
    return name.startswith("test_") and file.exists() and name in functions(file)


@cache
def functions(file: Path) -> set[str]:
    """The names of all functions in the file."""
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("threat", THREATS)
def test_a_threat_has_tests_that_exist(threat: str) -> None:
    assert proofs(THREATS[threat])
    assert [proof for proof in proofs(THREATS[threat]) if not exists(proof)] == []


@pytest.mark.parametrize(
    "proof",
    [
        "unit/infra/test_security.py::test_that_is_not_there",
        "unit/infra/test_nothing.py::test_a_threat_has_tests_that_exist",
        "unit/infra/test_security.py::exists",
        "unit/infra/test_security.py",
    ],
)
def test_a_test_that_does_not_exist_is_noticed(proof: str) -> None:
    assert not exists(proof)


def test_the_links_lead_somewhere() -> None:
    for target, anchor in re.findall(r"\]\((?!https:)([^)#]*)#([^)]*)\)", (ROOT / "docs/security.md").read_text()):
        assert anchor in sections((ROOT / "docs" / (target or "security.md")).read_text())
