from __future__ import annotations

import pytest
from google.cloud import firestore

from shared import outages
from shared.sharing.short_links import new_short_id
from tests.contract.worlds import FirestoreWorld, MemoryWorld, World
from tests.jobs import document, new_id


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are not about outages: on a busy machine the emulator may take longer than Firestore."""
    monkeypatch.setattr(outages, "_patience", 10.0)


@pytest.fixture(params=["memory", pytest.param("firestore", marks=pytest.mark.stack)])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    return FirestoreWorld(request.getfixturevalue("database"))


@pytest.fixture
def user() -> str:
    return f"user-{new_id()}"


@pytest.fixture
def shared(world: World, user: str) -> tuple[str, str]:
    """A job with a link, and its short id."""
    job_id, short_id = new_id(), new_short_id(8)
    world.put(job_id, document(user, short_id=short_id))
    world.put_link(short_id, job_id)
    return job_id, short_id


@pytest.fixture
def shared_in_firestore(database: firestore.Client, user: str) -> tuple[str, str]:
    world = FirestoreWorld(database)
    job_id, short_id = new_id(), new_short_id(8)
    world.put(job_id, document(user, short_id=short_id))
    world.put_link(short_id, job_id)
    return job_id, short_id
