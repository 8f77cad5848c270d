"""One bench for all tests of faults that run in a process: to start it takes longer than most of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.faults.bench import Bench, running


@pytest.fixture(scope="session")
def lines() -> list[str]:
    """Everything that the functions of the bench have printed."""
    return []


@pytest.fixture(scope="session")
def running_bench(lines: list[str]) -> Iterator[Bench]:
    with running(lines.append) as bench:
        yield bench


@pytest.fixture
def bench(running_bench: Bench) -> Iterator[Bench]:
    """The bench, without trouble again afterwards."""
    yield running_bench
    running_bench.heal()
