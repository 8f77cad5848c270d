"""What a restore brings back, also if a bucket is away: the Storage library against a local Storage."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from infra.local.objects import VersionedStorage
from shared.jobs.job import JobPrefix
from shared.storage import recovery
from shared.storage.limits import removing
from shared.storage.objects import ObjectStore
from shared.storage.recovery import BucketRestore
from tests.faults import Fault, Kind, Trouble
from tests.storages import a_storage

IMAGES, VIDEOS, OUTPUTS = BUCKETS = ("images", "videos", "outputs")
PREFIX = JobPrefix("me", "job-1")
DELETED_AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Clock(VersionedStorage):
    def __init__(self) -> None:
        super().__init__()
        self.time = DELETED_AT
        self.now = lambda: self.time


@pytest.fixture
def trouble() -> Trouble:
    return Trouble(silence=60)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(trouble: Trouble, clock: Clock) -> Iterator[Any]:
    with a_storage(trouble, BUCKETS, clock) as made:
        yield made


@pytest.fixture
def objects(client: Any) -> ObjectStore:
    return ObjectStore(client, BUCKETS)


def put(client: Any, bucket: str, *names: str, content: bytes = b"12", prefix: JobPrefix = PREFIX) -> None:
    for name in names:
        blob = client.bucket(bucket).blob(f"{prefix}{name}")
        blob.metadata = {"of": name}
        blob.upload_from_string(content)


def there(client: Any, bucket: str, prefix: JobPrefix = PREFIX) -> dict[str, bytes]:
    found = client.list_blobs(bucket, prefix=str(prefix))
    return {blob.name.removeprefix(str(prefix)): blob.download_as_bytes() for blob in found}


def purge(objects: ObjectStore, prefix: JobPrefix = PREFIX) -> None:
    objects.purge(prefix, lambda: True)


def restore(objects: ObjectStore, prefix: JobPrefix = PREFIX, removed: int = 0) -> list[BucketRestore]:
    """`removed` from the bucket of outputs."""
    return objects.restore(prefix, DELETED_AT, lambda: True, {OUTPUTS: removed})


@pytest.mark.slow  # restores 121 objects
def test_everything_that_the_purge_removed_comes_back_with_its_metadata(client: Any, objects: ObjectStore) -> None:
    put(client, IMAGES, "reference.png")
    put(client, OUTPUTS, *(f"parts/{number:03}" for number in range(120)))
    put(client, OUTPUTS, "output.mp4", prefix=JobPrefix("me", "job-1-2"))
    purge(objects)
    purge(objects, JobPrefix("me", "job-1-2"))
    found = restore(objects)
    assert found == [
        BucketRestore(bucket=IMAGES, objects=1, size=2),
        BucketRestore(bucket=VIDEOS, objects=0, size=0),
        BucketRestore(bucket=OUTPUTS, objects=120, size=240),
    ]
    assert client.bucket(IMAGES).get_blob(f"{PREFIX}reference.png").metadata == {"of": "reference.png"}
    assert len(there(client, OUTPUTS)) == 120
    assert there(client, OUTPUTS, JobPrefix("me", "job-1-2")) == {}
    assert [one.objects for one in restore(objects)] == [0, 0, 0]


def test_what_was_removed_before_the_job_stays_removed(client: Any, objects: ObjectStore, clock: Clock) -> None:
    put(client, OUTPUTS, "old.mp4", "output.mp4", content=b"old")
    clock.time = DELETED_AT - timedelta(hours=1)
    client.bucket(OUTPUTS).delete_blob(f"{PREFIX}old.mp4")
    put(client, OUTPUTS, "output.mp4", content=b"new")
    clock.time = DELETED_AT + timedelta(seconds=1)
    purge(objects)
    restore(objects)
    assert there(client, OUTPUTS) == {"output.mp4": b"new"}


def test_a_clock_that_is_a_little_ahead_loses_nothing(client: Any, objects: ObjectStore, clock: Clock) -> None:
    put(client, OUTPUTS, "output.mp4")
    clock.time = DELETED_AT - recovery.CLOCKS_DIFFER
    purge(objects)
    restore(objects)
    assert there(client, OUTPUTS) == {"output.mp4": b"12"}


def test_of_several_generations_the_newest_comes_back(client: Any, objects: ObjectStore) -> None:
    bucket = client.bucket(OUTPUTS)
    bucket.versioning_enabled = True
    bucket.patch()
    for content in (b"1", b"2", b"3"):
        put(client, OUTPUTS, "output.mp4", content=content)
    purge(objects)
    assert restore(objects)[2] == BucketRestore(bucket=OUTPUTS, objects=1, size=1)
    assert there(client, OUTPUTS) == {"output.mp4": b"3"}


def test_a_job_deleted_and_restored_many_times_has_each_object_once(client: Any, objects: ObjectStore) -> None:
    put(client, OUTPUTS, "output.mp4", "poster.webp")
    for _ in range(3):
        purge(objects)
        assert restore(objects)[2].objects == 2
    assert len(list(client.list_blobs(OUTPUTS, prefix=str(PREFIX), versions=True))) == 2


def test_an_object_that_is_there_again_stays_as_it_is(client: Any, objects: ObjectStore) -> None:
    put(client, OUTPUTS, "output.mp4", "poster.webp", content=b"old")
    purge(objects)
    put(client, OUTPUTS, "output.mp4", content=b"new")
    assert restore(objects)[2] == BucketRestore(bucket=OUTPUTS, objects=1, size=3)
    assert there(client, OUTPUTS) == {"output.mp4": b"new", "poster.webp": b"old"}


def test_a_restore_that_is_cut_off_goes_on_where_it_was(
    client: Any, objects: ObjectStore, trouble: Trouble
) -> None:
    put(client, OUTPUTS, *map(str, range(30)), content=b"x")
    purge(objects)
    is_broken = threading.Event()

    def decide(call: str) -> Fault | None:
        if f"{quote(f'{PREFIX}0', safe='')}/restore?" not in call or is_broken.is_set():
            return None
        is_broken.set()
        return Fault(Kind.HELD)

    trouble.on_call = decide
    first = restore(objects)[2]
    assert (first.objects, first.error) == (29, f"403 objectUnderActiveHold: 1 object(s), such as {PREFIX}0")
    # Half of it is removed once more before the restore is tried again.
    for number in range(15):
        client.bucket(OUTPUTS).delete_blobs([f"{PREFIX}{number}"], on_error=lambda _: None)
    again = restore(objects)[2]
    assert (again.objects, again.error) == (15, None)
    assert there(client, OUTPUTS) == {str(number): b"x" for number in range(30)}


def test_a_later_run_makes_no_call_for_what_an_earlier_one_has_brought_back(
    client: Any, objects: ObjectStore, trouble: Trouble
) -> None:
    put(client, OUTPUTS, *map(str, range(5)))
    purge(objects)
    assert restore(objects)[2].objects == 5
    client.bucket(OUTPUTS).delete_blobs([f"{PREFIX}3"])
    asked: list[str] = []
    trouble.on_call = lambda call: asked.append(call) if "/restore?" in call else None
    again = restore(objects)[2]
    assert (again.objects, again.error, len(asked)) == (1, None, 1)
    assert f"{quote(f'{PREFIX}3', safe='')}/restore?" in asked[0]


@pytest.mark.slow  # restores 100 objects
def test_nothing_more_comes_back_once_it_is_no_longer_wanted(client: Any, objects: ObjectStore) -> None:
    put(client, OUTPUTS, *(f"{number:03}" for number in range(150)))
    purge(objects)
    answers = iter([True, False])
    found = ObjectStore(client, [OUTPUTS]).restore(PREFIX, DELETED_AT, lambda: next(answers), {})
    assert found == [BucketRestore(bucket=OUTPUTS, objects=100, size=200, error="no longer wanted")]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are given up after a third of a second instead of half a minute."""
    limits = {**removing(), "retry": removing()["retry"].with_timeout(0.3)}
    monkeypatch.setattr("shared.storage.recovery.removing", lambda: limits)


@pytest.mark.slow  # waits between attempts
@pytest.mark.usefixtures("impatient")
def test_a_bucket_that_is_away_holds_up_no_other(client: Any, objects: ObjectStore, trouble: Trouble) -> None:
    for bucket in BUCKETS:
        put(client, bucket, *map(str, range(20)))
    purge(objects)
    trouble.on_call = lambda call: Fault(Kind.UNAVAILABLE) if f"/b/{IMAGES}/" in call else None
    images, videos, outputs = restore(objects)
    assert images.error == "503 backendError: what is soft-deleted cannot be listed"
    assert (videos.error, outputs.error, outputs.objects) == (None, None, 20)
    trouble.on_call = lambda call: Fault(Kind.UNAVAILABLE) if "/restore?" in call else None
    images = restore(objects)[0]
    assert images.objects == 0
    assert images.error is not None
    assert images.error.startswith("503 backendError: ")
    trouble.heal()
    assert restore(objects)[0].objects == 20


def test_an_answer_that_was_lost_is_no_failure(client: Any, objects: ObjectStore, trouble: Trouble) -> None:
    put(client, OUTPUTS, "output.mp4")
    purge(objects)
    lost = iter([Fault(Kind.RESET, carried_out=True)])
    trouble.on_call = lambda call: next(lost, None) if "/restore?" in call else None
    assert restore(objects)[2].error is None
    assert there(client, OUTPUTS) == {"output.mp4": b"12"}


def test_an_object_whose_time_ends_meanwhile_is_a_failure(
    client: Any, objects: ObjectStore, clock: Clock, trouble: Trouble
) -> None:
    put(client, OUTPUTS, "output.mp4")
    purge(objects)

    def time_ends(call: str) -> None:
        if "/restore?" in call:
            clock.time += timedelta(days=8)

    trouble.on_call = time_ends
    outputs = restore(objects)[2]
    assert outputs.error == f"404 notFound: 1 object(s), such as {PREFIX}output.mp4"


def test_what_the_bucket_did_not_keep_is_missing(client: Any, objects: ObjectStore) -> None:
    bucket = client.get_bucket(OUTPUTS)
    bucket.soft_delete_policy.retention_duration_seconds = 0
    bucket.patch()
    put(client, OUTPUTS, "output.mp4")
    purge(objects)
    outputs = restore(objects, removed=1)[2]
    assert (outputs.error, outputs.missing) == ("1 of 1 object(s) can no longer be found", 1)


def test_a_part_that_is_gone_for_good_is_missing(client: Any, objects: ObjectStore, clock: Clock) -> None:
    put(client, OUTPUTS, "old.mp4", "output.mp4")
    client.bucket(OUTPUTS).delete_blob(f"{PREFIX}old.mp4")
    clock.time += timedelta(days=5)
    purge(objects)
    clock.time += timedelta(days=3)
    outputs = restore(objects, removed=2)[2]
    assert (outputs.objects, outputs.missing) == (1, 1)
    assert outputs.error == "1 of 2 object(s) can no longer be found"


def test_copies_that_outlive_what_they_were_made_from_are_not_missing(
    client: Any, objects: ObjectStore, clock: Clock
) -> None:
    put(client, OUTPUTS, "output.mp4", "poster.webp")
    purge(objects)
    restore(objects, removed=2)
    clock.time += timedelta(days=8)
    assert restore(objects, removed=2)[2] == BucketRestore(bucket=OUTPUTS, objects=0, size=0)
