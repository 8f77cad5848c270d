"""The order of the tests: the files that take longest come first, so that at the end no worker waits for another.

`make test T=--measure` writes durations.json anew.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

DURATIONS = Path(__file__).with_name("durations.json")
"""Seconds that the tests of a file take, and what is set up for them. Files that are not in it take none."""
SUITES = ("integration", "contract", "e2e", "unit")
"""Those with the small files come last. The browser's stay together, since it ends with the last of them."""
LEAST = 0.5
"""Seconds under which a file is not worth a line."""


def file_of(node_id: str) -> str:
    """The file that a test is in, from tests/ on."""
    return node_id.partition("::")[0].removeprefix("tests/")


def in_order(files: Iterable[str], seconds: Mapping[str, float]) -> list[str]:
    """The files as they are to be run."""

    def place(file: str) -> tuple[int, float]:
        suite = file.partition("/")[0]
        return SUITES.index(suite) if suite in SUITES else len(SUITES), -seconds.get(file, 0.0)

    return sorted(files, key=place)


class Order:
    """Puts the tests in order. Those of one file stay as they are."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        files = dict.fromkeys(file_of(item.nodeid) for item in items)
        places = {file: place for place, file in enumerate(in_order(files, json.loads(DURATIONS.read_text())))}
        items.sort(key=lambda item: places[file_of(item.nodeid)])


class Measure:
    """Writes into durations.json how long the files took that have run."""

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
