"""Orders the tests by file, the slowest first, so that no worker is left waiting for another at the end.

`make test T=--measure` rewrites durations.json.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

DURATIONS = Path(__file__).with_name("durations.json")
"""Seconds that each file's tests and their set-up take. Files that are not listed count as zero."""
SUITES = ("integration", "contract", "e2e", "unit")
"""Suites with small files come last. The browser tests stay together: the browser closes after the last one."""
TOGETHER = "integration/faults/"
"""Files that go to one worker, because they share the bench."""
LEAST = 0.5
"""Seconds. Faster files are not listed."""


def file_of(node_id: str) -> str:
    """The test's file, relative to tests/."""
    return node_id.partition("::")[0].removeprefix("tests/")


def in_order(files: Iterable[str], seconds: Mapping[str, float]) -> list[str]:
    """The files in the order to run them."""

    def place(file: str) -> tuple[int, float]:
        suite = file.partition("/")[0]
        return SUITES.index(suite) if suite in SUITES else len(SUITES), -seconds.get(file, 0.0)

    return sorted(files, key=place)


class _ByFile(LoadFileScheduling):  # type: ignore[misc]
    """Gives each file to one worker, and those that stay together to one, too."""

    def _split_scope(self, nodeid: str) -> str:
        file = file_of(nodeid)
        return TOGETHER if file.startswith(TOGETHER) else file


class Order:
    """Reorders the test files, and hands them out. Tests within a file keep their order."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> Scheduling | None:
        return _ByFile(config, log) if config.getvalue("dist") == "loadfile" else None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        files = dict.fromkeys(file_of(item.nodeid) for item in items)
        places = {file: place for place, file in enumerate(in_order(files, json.loads(DURATIONS.read_text())))}
        items.sort(key=lambda item: places[file_of(item.nodeid)])


class Measure:
    """Writes the duration of each file that ran into durations.json."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[file_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        seconds = {**json.loads(DURATIONS.read_text()), **self._seconds}
        kept = {
            file: round(took, 1)
            for file, took in sorted(seconds.items())
            if took >= LEAST and (DURATIONS.parent / file).is_file()
        }
        DURATIONS.write_text(json.dumps(kept, indent=1) + "\n")
