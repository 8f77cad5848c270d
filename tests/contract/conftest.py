from __future__ import annotations

import pytest

from tests.contract.worlds import FirestoreWorld, MemoryWorld, World
from tests.jobs import new_id


@pytest.fixture(params=["memory", "firestore"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    return FirestoreWorld(request.getfixturevalue("database"))


@pytest.fixture
def user() -> str:
    return f"user-{new_id()}"
