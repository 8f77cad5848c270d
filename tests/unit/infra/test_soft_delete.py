"""The local Storage keeps deleted objects for a while and restores them, as Cloud Storage does.

https://cloud.google.com/storage/docs/soft-delete
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, NotFound, PreconditionFailed
from google.cloud import storage

from infra.local.objects import VersionedStorage
from tests.faults import Trouble
from tests.storages import a_storage

WEEK = timedelta(days=7)


class Held(VersionedStorage):
    """Remembers what it announced, and has a clock."""

    def __init__(self) -> None:
        self.announced: list[tuple[str, str | None]] = []
        super().__init__(lambda new, overwritten: self.announced.append((new["name"], overwritten)))
        self.time = datetime(2026, 11, 26, 12, tzinfo=UTC)
        self.now = lambda: self.time


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def bucket(held: Held) -> Iterator[Any]:
    with a_storage(Trouble(), ["outputs"], held) as client:
        yield client.bucket("outputs")


@pytest.fixture
def versioned(bucket: Any) -> Any:
    bucket.versioning_enabled = True
    bucket.patch()
    return bucket


def put(bucket: Any, name: str, content: bytes) -> int:
    blob = bucket.blob(name)
    blob.metadata = {"of": name}
    blob.cache_control = "private"
    blob.upload_from_string(content, content_type="video/mp4")
    return int(blob.generation)


def soft_deleted(bucket: Any, **options: Any) -> list[tuple[str, int]]:
    return [(blob.name, blob.generation) for blob in bucket.list_blobs(soft_deleted=True, **options)]


def test_what_is_deleted_is_kept_for_a_week_unless_the_bucket_says_otherwise(bucket: Any, held: Held) -> None:
    bucket.reload()
    assert bucket.soft_delete_policy.retention_duration_seconds == WEEK.total_seconds()
    generation = put(bucket, "a", b"x")
    bucket.delete_blob("a")
    assert bucket.get_blob("a") is None
    assert list(bucket.list_blobs(versions=True)) == []
    (kept,) = bucket.list_blobs(soft_deleted=True)
    assert (kept.generation, kept.size, kept.metadata) == (generation, 1, {"of": "a"})
    assert (kept.soft_delete_time, kept.hard_delete_time) == (held.time, held.time + WEEK)
    again = bucket.get_blob("a", generation=generation, soft_deleted=True)
    assert again.hard_delete_time == kept.hard_delete_time


def test_after_its_time_a_deleted_object_is_gone(bucket: Any, held: Held) -> None:
    generation = put(bucket, "a", b"x")
    bucket.delete_blob("a")
    held.time += WEEK
    assert soft_deleted(bucket) == []
    assert bucket.get_blob("a", generation=generation, soft_deleted=True) is None
    with pytest.raises(NotFound):
        bucket.restore_blob("a", generation=generation)


def test_a_policy_holds_for_what_is_deleted_after_it(bucket: Any, held: Held) -> None:
    first = put(bucket, "a", b"x")
    bucket.delete_blob("a")
    bucket.soft_delete_policy.retention_duration_seconds = 0
    bucket.patch()
    bucket.reload()
    assert bucket.soft_delete_policy.retention_duration_seconds == 0
    put(bucket, "b", b"x")
    bucket.delete_blob("b")
    assert soft_deleted(bucket) == [("a", first)]


def test_a_restored_object_is_a_new_generation_with_the_same_content_and_metadata(bucket: Any, held: Held) -> None:
    first = put(bucket, "a/ü.mp4", b"content")
    bucket.delete_blob("a/ü.mp4")
    held.time += timedelta(hours=1)
    restored = bucket.restore_blob("a/ü.mp4", generation=first, copy_source_acl=True)
    assert restored.generation > first
    there = bucket.get_blob("a/ü.mp4")
    assert (there.generation, there.metageneration) == (restored.generation, 1)
    assert (there.metadata, there.cache_control, there.content_type) == ({"of": "a/ü.mp4"}, "private", "video/mp4")
    assert there.time_created == held.time
    assert (there.soft_delete_time, there.hard_delete_time) == (None, None)
    assert there.download_as_bytes() == b"content"
    assert soft_deleted(bucket) == [("a/ü.mp4", first)]
    assert held.announced == [("a/ü.mp4", None)] * 2


def test_what_replaces_a_live_object_keeps_that_one_too(bucket: Any, held: Held) -> None:
    first = put(bucket, "a", b"first")
    second = put(bucket, "a", b"second")
    assert soft_deleted(bucket) == [("a", first)]
    with pytest.raises(PreconditionFailed):
        bucket.restore_blob("a", generation=first, if_generation_match=0)
    bucket.restore_blob("a", generation=first)
    assert bucket.get_blob("a").download_as_bytes() == b"first"
    assert soft_deleted(bucket) == [("a", first), ("a", second)]
    assert held.announced[-1] == ("a", str(second))


def test_in_a_bucket_with_versioning_what_is_replaced_is_older_and_not_deleted(versioned: Any) -> None:
    first, second = put(versioned, "a", b"first"), put(versioned, "a", b"second")
    versioned.delete_blob("a")
    assert soft_deleted(versioned) == []
    older = list(versioned.list_blobs(versions=True))
    assert [(blob.generation, blob.time_deleted is not None) for blob in older] == [(first, True), (second, True)]
    for generation in (first, second):
        versioned.blob("a", generation=generation).delete()
    assert soft_deleted(versioned) == [("a", first), ("a", second)]
    restored = [versioned.restore_blob("a", generation=generation).generation for generation in (first, second)]
    assert [blob.generation for blob in versioned.list_blobs(versions=True)] == restored
    assert versioned.get_blob("a").download_as_bytes() == b"second"


def test_one_deleted_by_its_number_does_not_become_an_older_one(versioned: Any) -> None:
    generation = put(versioned, "a", b"x")
    versioned.blob("a", generation=generation).delete()
    assert list(versioned.list_blobs(versions=True)) == []
    assert soft_deleted(versioned) == [("a", generation)]


def test_a_listing_of_deleted_objects_has_pages_and_a_prefix(bucket: Any) -> None:
    for name in ("a/1", "a/2", "a/2", "a/3", "b/1"):
        put(bucket, name, b"x")
        bucket.delete_blob(name)
    pages = bucket.list_blobs(prefix="a/", soft_deleted=True, page_size=3).pages
    assert [[blob.name for blob in page] for page in pages] == [["a/1", "a/2", "a/2"], ["a/3"]]


@pytest.mark.parametrize(
    "ask",
    [
        lambda bucket: list(bucket.list_blobs(soft_deleted=True, versions=True)),
        lambda bucket: bucket.get_blob("a", soft_deleted=True),
        lambda bucket: bucket.restore_blob("a"),
    ],
)
def test_a_request_that_lacks_its_generation_or_contradicts_itself_is_refused(
    bucket: Any, ask: Callable[[Any], object]
) -> None:
    with pytest.raises((BadRequest, ValueError)):
        ask(bucket)


def test_a_deleted_object_cannot_be_deleted_again_or_read(bucket: Any) -> None:
    generation = put(bucket, "a", b"x")
    bucket.delete_blob("a")
    with pytest.raises(NotFound):
        bucket.blob("a", generation=generation).delete()
    with pytest.raises(NotFound):
        bucket.blob("a", generation=generation).download_as_bytes()


def test_an_export_holds_what_is_deleted(versioned: Any, held: Held, tmp_path: Path) -> None:
    generation = put(versioned, "a", b"deleted")
    versioned.blob("a", generation=generation).delete()
    held.exported_to = tmp_path / "objects.zip"
    held.export()
    later = Held()
    later.load(held.exported_to)
    with a_storage(Trouble(), [], later) as client:
        restored: storage.Blob = client.bucket("outputs").restore_blob("a", generation=generation)
        assert restored.download_as_bytes() == b"deleted"
