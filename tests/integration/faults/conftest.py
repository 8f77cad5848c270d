"""One bench for all fault tests of a process: starting it takes longer than most of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.faults.bench import Bench, running


@pytest.fixture(scope="session")
def lines() -> list[str]:
    """Everything that the bench's functions have printed."""
    return []


@pytest.fixture(scope="session")
def running_bench(lines: list[str]) -> Iterator[Bench]:
    with running(lines.append) as bench:
        yield bench


@pytest.fixture
def bench(running_bench: Bench) -> Iterator[Bench]:
    """The bench. Afterwards its faults are stopped."""
    yield running_bench
    running_bench.heal()
