from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.local.changes import Changes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    for name in ("a.py", "inner/b.py"):
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.fixture
def changes(folder: Path) -> Changes:
    return Changes(folder)


def reported(changes: Changes) -> set[str]:
    """The changes that two checks in a row report."""
    found = changes.settled() or changes.settled()
    return {file.name for file in found}


def test_a_file_that_is_written_is_reported_once(changes: Changes, folder: Path) -> None:
    assert reported(changes) == set()
    (folder / "a.py").write_text("new")
    assert changes.settled() == frozenset()
    assert changes.settled() == {folder / "a.py"}
    assert reported(changes) == set()


def test_a_file_that_is_saved_as_it_was_is_reported(changes: Changes, folder: Path) -> None:
    os.utime(folder / "a.py")
    assert reported(changes) == {"a.py"}


def test_files_that_come_and_go_are_reported(changes: Changes, folder: Path) -> None:
    (folder / "inner" / "b.py").unlink()
    (folder / "new").mkdir()
    (folder / "new" / "c.py").write_text("")
    assert reported(changes) == {"b.py", "c.py"}
    (folder / "inner").rmdir()
    assert reported(changes) == set()


def test_nothing_is_reported_while_somebody_still_writes(changes: Changes, folder: Path) -> None:
    for length in range(1, 5):
        (folder / "a.py").write_text("x" * length)
        assert changes.settled() == frozenset()
    assert changes.settled() == {folder / "a.py"}


def test_a_file_that_another_takes_the_place_of_is_reported_alone(changes: Changes, folder: Path) -> None:
    """Many editors save like this: they write a new file under another name and then rename it."""
    for name in (".a.py.swp", "a.py~", "a.py.tmp"):
        (folder / name).write_text("new")
    (folder / "a.py.tmp").rename(folder / "a.py")
    (folder / "a.py~").unlink()
    assert reported(changes) == {"a.py"}


@pytest.mark.parametrize(
    "name",
    [
        *("__pycache__/a.pyc", ".next/cache", "node_modules/a/b.js", "out/index.html", "out-apart/index.html"),
        *("next-env.d.ts", "tsconfig.tsbuildinfo", ".#a.py"),
    ],
)
def test_what_programs_leave_beside_sources_is_not_reported(changes: Changes, folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True, parents=True)
    (folder / name).write_text("new")
    assert reported(changes) == set()


def test_a_link_that_leads_nowhere_hides_nothing(changes: Changes, folder: Path) -> None:
    (folder / "0.py").symlink_to("nowhere")
    (folder / "a.py").write_text("new")
    assert reported(changes) == {"a.py"}
