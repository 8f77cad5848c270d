from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.decoders import end_all


@pytest.fixture(scope="package", autouse=True)
def _end_decoders() -> Iterator[None]:
    yield
    end_all()
