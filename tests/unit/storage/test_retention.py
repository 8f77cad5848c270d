"""How long a bucket keeps what was removed: the Storage library against a local Storage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.faults import Fault, Kind, Trouble
from shared.errors import Unavailable
from shared.storage.retention import Retention
from tests.storages import a_storage

BUCKET = "images"


@pytest.fixture
def trouble() -> Trouble:
    return Trouble(silence=1)


@pytest.fixture
def client(trouble: Trouble) -> Iterator[Any]:
    with a_storage(trouble, [BUCKET]) as made:
        yield made


def keep(client: Any, seconds: int) -> None:
    bucket = client.bucket(BUCKET)
    bucket.soft_delete_policy.retention_duration_seconds = seconds
    bucket.patch()


@pytest.mark.parametrize(("seconds", "kept"), [(8 * 86_400, timedelta(days=8)), (0, None)])
def test_a_bucket_is_asked_once_how_long_it_keeps_what_was_removed(
    client: Any, trouble: Trouble, seconds: int, kept: timedelta | None
) -> None:
    keep(client, seconds)
    before = trouble.calls
    retention = Retention(client)
    assert [retention.of(BUCKET) for _ in range(3)] == [kept] * 3
    assert trouble.calls == before + 1


def test_a_bucket_that_is_away_is_asked_again_later(
    client: Any, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(client, 86_400)
    monkeypatch.setattr("shared.storage.retention.reading", lambda: {"timeout": 5, "retry": None})
    retention = Retention(client)
    trouble.on_call = lambda _: Fault(Kind.UNAVAILABLE)
    with pytest.raises(Unavailable):
        retention.of(BUCKET)
    trouble.heal()
    assert retention.of(BUCKET) == timedelta(days=1)
