"""What `make dev` does when a file of the page is saved. A stand-in builds the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.page_builds import PageBuilds
from infra.local.processes import Processes
from tests.waiting import wait_until

BUILT, FAILED = "the page is built: reload it in the browser", "the page stays as it was until it is mended"


class Page:
    def __init__(self, root: Path, processes: Processes, lines: list[str]) -> None:
        self.root = root
        self.lines = lines
        self.builder("exit 0")
        self.save("app/page.tsx", "old")
        self.builds = PageBuilds(processes, root, lines.append)

    def builder(self, script: str) -> None:
        """Replace page.sh with this script."""
        file = self.root / "infra" / "local" / "page.sh"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def save(self, name: str, content: str) -> None:
        file = self.root / "frontend" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def until(self, *said: str) -> None:
        """Do what `make dev` does, until this was logged."""

        def step() -> bool:
            self.builds.step()
            return all(any(line in one for one in self.lines) for line in said)

        wait_until(step)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    lines: list[str] = []
    with Processes(lines.append, tmp_path / "run") as processes:
        yield Page(tmp_path, processes, lines)


def test_a_saved_file_leads_to_one_build(page: Page) -> None:
    page.builder('echo "built with $SETUP" >> built')
    page.save("app/page.tsx", "new")
    page.until(BUILT)
    assert "saved: frontend/app/page.tsx" in page.lines
    for _ in range(5):
        page.builds.step()
    assert (page.root / "built").read_text() == "built with .venv/.complete\n"


def test_nothing_is_built_before_something_is_saved(page: Page) -> None:
    for _ in range(5):
        page.builds.step()
    assert page.lines == []


def test_why_a_build_fails_is_in_the_log_and_the_next_save_mends_it(page: Page) -> None:
    page.builder("echo 'app/page.tsx: type error'; exit 1")
    page.save("app/page.tsx", "broken")
    page.until(FAILED, "page            | app/page.tsx: type error")
    assert BUILT not in page.lines
    page.builder("exit 0")
    page.save("app/page.tsx", "mended")
    page.until(BUILT)


def test_a_save_during_a_build_begins_it_anew(page: Page) -> None:
    page.builder("touch begun; sleep 3600")
    page.save("app/page.tsx", "new")
    page.until("saved: frontend/app/page.tsx")
    wait_until((page.root / "begun").exists)
    page.builder("exit 0")
    page.save("lib/api.ts", "newer")
    page.until(BUILT)
    assert "saved: frontend/lib/api.ts" in page.lines
