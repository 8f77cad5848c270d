"""How long what is deleted can be restored, as the buckets themselves say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.storage.limits import reading
from shared.storage.retention import KNOWN_FOR, Retention, Retentions
from tests.faults import Fault, Kind, Trouble
from tests.storages import a_storage

BUCKETS = ("images", "videos", "outputs")


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture
def client(trouble: Trouble) -> Iterator[Any]:
    with a_storage(trouble, BUCKETS) as made:
        yield made


def keep_for(client: Any, bucket: str, days: int) -> None:
    policy = client.get_bucket(bucket)
    policy.soft_delete_policy.retention_duration_seconds = days * 86_400
    policy.patch()


def test_the_bucket_that_keeps_for_the_shortest_time_counts(client: Any) -> None:
    keep_for(client, "videos", 30)
    keep_for(client, "images", 8)
    removed_at = datetime.now(UTC)
    retentions = Retentions(client, BUCKETS)
    assert retentions.kept_until(removed_at) == removed_at + timedelta(days=7)
    assert [retentions.of(bucket).kept_for.days for bucket in BUCKETS] == [8, 30, 7]


def test_where_one_bucket_keeps_nothing_a_job_cannot_be_restored(client: Any) -> None:
    keep_for(client, "videos", 0)
    assert Retentions(client, BUCKETS).kept_until(datetime.now(UTC)) is None


def test_a_policy_says_nothing_of_what_was_removed_before_it() -> None:
    effective_at = datetime(2026, 11, 26, tzinfo=UTC)
    retention = Retention(timedelta(days=7), effective_at)
    assert retention.kept_until(effective_at) == effective_at + timedelta(days=7)
    assert retention.kept_until(effective_at - timedelta(seconds=1)) is None


def test_the_policies_are_read_once_and_again_after_some_minutes(client: Any, trouble: Trouble) -> None:
    seconds = 0.0
    retentions = Retentions(client, BUCKETS, lambda: seconds)
    before = trouble.calls
    for _ in range(3):
        retentions.kept_until(datetime.now(UTC))
    assert trouble.calls - before == len(BUCKETS)
    keep_for(client, "videos", 0)
    seconds = KNOWN_FOR - 1
    assert retentions.kept_until(datetime.now(UTC)) is not None
    seconds = KNOWN_FOR
    assert retentions.kept_until(datetime.now(UTC)) is None


def test_if_storage_is_away_nothing_is_assumed(
    client: Any, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {**reading(), "retry": reading()["retry"].with_timeout(0.3)}
    monkeypatch.setattr("shared.storage.retention.reading", lambda: limits)
    retentions = Retentions(client, BUCKETS)
    trouble.on_call = lambda _: Fault(Kind.UNAVAILABLE)
    with pytest.raises(Unavailable, match="Cloud Storage"):
        retentions.kept_until(datetime.now(UTC))
    trouble.heal()
    assert retentions.kept_until(datetime.now(UTC)) is not None
