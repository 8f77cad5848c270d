"""What a purge does if a bucket refuses deletes or is away: the Storage library against a local Storage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.objects import VersionedStorage
from shared.errors import Unavailable
from shared.jobs.job import JobPrefix
from shared.storage import attempts, removal
from shared.storage.limits import removing
from shared.storage.objects import ObjectStore
from shared.storage.removal import BucketPurge
from tests.faults import Fault, Kind, Trouble
from tests.storages import a_storage, still, store
from tests.waiting import wait_until

IMAGES, VIDEOS, OUTPUTS = "images", "videos", "outputs"
PREFIX = JobPrefix("me", "job-1")


@pytest.fixture
def trouble() -> Trouble:
    return Trouble(silence=60)


@pytest.fixture
def contents() -> VersionedStorage:
    return VersionedStorage()


@pytest.fixture
def client(trouble: Trouble, contents: VersionedStorage) -> Iterator[Any]:
    with a_storage(trouble, (IMAGES, VIDEOS, OUTPUTS), contents) as made:
        yield made


@pytest.fixture
def objects(client: Any) -> ObjectStore:
    return ObjectStore(client, (IMAGES, VIDEOS, OUTPUTS))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are given up after a third of a second instead of half a minute."""
    limits = {**removing(), "retry": removing()["retry"].with_timeout(0.3)}
    monkeypatch.setattr("shared.storage.removal.removing", lambda: limits)


def put(contents: VersionedStorage, bucket: str, *names: str, prefix: JobPrefix = PREFIX) -> None:
    store(contents, bucket, [f"{prefix}{name}" for name in names])


def left(client: Any, bucket: str, prefix: JobPrefix = PREFIX) -> list[str]:
    return [blob.name.removeprefix(str(prefix)) for blob in client.list_blobs(bucket, prefix=str(prefix))]


def refusing(kinds: dict[str, Kind]) -> Callable[[str], Fault | None]:
    """Deletes of objects with one of these words in their names fail in this way."""

    def decide(call: str) -> Fault | None:
        found = [kind for word, kind in kinds.items() if call.startswith("DELETE") and word in call]
        return Fault(found[0]) if found else None

    return decide


def test_all_that_lies_behind_a_hundred_held_objects_goes(
    client: Any, contents: VersionedStorage, trouble: Trouble, objects: ObjectStore
) -> None:
    put(contents, VIDEOS, *(f"{number:03}-held" for number in range(100)), *(f"free-{n}" for n in range(20)))
    trouble.on_call = refusing({"held": Kind.HELD})
    found = objects.purge(PREFIX, still)
    assert found[1] == BucketPurge(
        bucket=VIDEOS,
        objects=20,
        size=40,
        error="403 objectUnderActiveHold: 100 object(s), such as me/job-1/000-held",
    )
    assert [one.error for one in (found[0], found[2])] == [None, None]
    assert len(left(client, VIDEOS)) == 100


def test_all_that_lies_between_held_objects_goes_and_each_reason_is_told(
    client: Any, contents: VersionedStorage, trouble: Trouble, objects: ObjectStore
) -> None:
    words = ("held", "free", "kept", "free")
    put(contents, OUTPUTS, *(f"{number:03}-{words[number % 4]}" for number in range(240)))
    trouble.on_call = refusing({"held": Kind.HELD, "kept": Kind.RETAINED})
    output = objects.purge(PREFIX, still)[2]
    assert output.objects == 120
    assert output.error == (
        "403 objectUnderActiveHold: 60 object(s), such as me/job-1/000-held; "
        "412 retentionPolicyNotMet: 60 object(s), such as me/job-1/002-kept"
    )
    assert [name for name in left(client, OUTPUTS) if "free" in name] == []


@pytest.mark.usefixtures("impatient")
def test_a_bucket_that_is_away_is_given_up_after_a_few_deletes(
    client: Any, contents: VersionedStorage, trouble: Trouble, objects: ObjectStore
) -> None:
    put(contents, VIDEOS, *map(str, range(250)))
    put(contents, OUTPUTS, "output.mp4")
    tried: set[str] = set()

    def decide(call: str) -> Fault | None:
        if not call.startswith(f"DELETE /storage/v1/b/{VIDEOS}/"):
            return None
        tried.add(call)
        return Fault(Kind.UNAVAILABLE)

    trouble.on_call = decide
    began = time.monotonic()
    images, videos, outputs = objects.purge(PREFIX, still)
    assert time.monotonic() - began < 10
    assert len(tried) <= attempts.AT_ONCE + attempts.MOST_GIVEN_UP
    assert videos.error is not None
    assert videos.error.startswith("503 backendError: ")
    assert (images.error, outputs.error, left(client, OUTPUTS)) == (None, None, [])


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.UNAVAILABLE])
def test_an_object_whose_deletion_was_not_answered_may_be_gone_without_being_counted(
    client: Any, contents: VersionedStorage, trouble: Trouble, objects: ObjectStore, kind: Kind
) -> None:
    put(contents, VIDEOS, "motion.mp4")
    put(contents, OUTPUTS, "output.mp4")
    lost = iter([Fault(kind, carried_out=True)])
    trouble.on_call = lambda call: next(lost, None) if call.startswith(f"DELETE /storage/v1/b/{VIDEOS}/") else None
    _, videos, outputs = objects.purge(PREFIX, still)
    assert (left(client, VIDEOS), videos.error) == ([], None)
    assert [(one.objects, one.is_counted) for one in (videos, outputs)] == [(0, False), (1, True)]


@pytest.mark.usefixtures("impatient")
def test_one_object_that_always_fails_keeps_no_other_from_going(
    client: Any, contents: VersionedStorage, trouble: Trouble, objects: ObjectStore
) -> None:
    put(contents, VIDEOS, "0-broken", *(f"free-{number}" for number in range(120)))
    trouble.on_call = refusing({"broken": Kind.ERROR})
    videos = objects.purge(PREFIX, still)[1]
    assert (videos.objects, videos.is_counted, left(client, VIDEOS)) == (120, False, ["0-broken"])
    assert videos.error == "500 backendError: 1 object(s), such as me/job-1/0-broken"


@pytest.mark.usefixtures("impatient")
def test_a_bucket_that_cannot_be_listed_says_so(trouble: Trouble, objects: ObjectStore) -> None:
    trouble.on_call = lambda call: Fault(Kind.UNAVAILABLE) if f"/b/{IMAGES}/" in call else None
    images, videos, outputs = objects.purge(PREFIX, still)
    assert images.error == "503 backendError: what is there cannot be listed"
    assert (videos.error, outputs.error) == (None, None)


def test_a_bucket_that_is_silent_holds_up_no_other_bucket_and_no_other_job(
    client: Any, contents: VersionedStorage, trouble: Trouble, objects: ObjectStore
) -> None:
    stuck = [JobPrefix("me", f"stuck-{number}") for number in range(4)]
    for prefix in stuck:
        put(contents, VIDEOS, *map(str, range(20)), prefix=prefix)
    put(contents, VIDEOS, "motion.mp4")
    for bucket in (IMAGES, OUTPUTS):
        put(contents, bucket, *map(str, range(20)))
    silent = f"DELETE /storage/v1/b/{VIDEOS}/"
    trouble.on_call = lambda call: Fault(Kind.SILENCE) if call.startswith(silent) else None
    purges = [threading.Thread(target=objects.purge, args=(prefix, still)) for prefix in (*stuck, PREFIX)]
    for purge in purges:
        purge.start()
    try:
        wait_until(lambda: left(client, IMAGES) == left(client, OUTPUTS) == [], 10)
        assert left(client, VIDEOS) == ["motion.mp4"]
    finally:
        trouble.heal()
        for purge in purges:
            purge.join()
    assert [one.error for one in objects.purge(PREFIX, still)] == [None, None, None]


@pytest.mark.slow  # waits out a time limit
def test_a_run_ends_in_time_and_the_next_goes_on(
    client: Any,
    contents: VersionedStorage,
    trouble: Trouble,
    objects: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(contents, VIDEOS, *map(str, range(120)))
    trouble.on_call = lambda call: Fault(Kind.SLOW) if call.startswith("DELETE") else None
    with monkeypatch.context() as patched:
        patched.setattr(removal, "PURGE_WITHIN", 0.5)
        videos = objects.purge(PREFIX, still)[1]
    assert 0 < videos.objects < 120
    assert videos.error == "not finished within 0.5 s"
    trouble.heal()
    again = objects.purge(PREFIX, still)[1]
    assert (again.objects, again.error) == (120 - videos.objects, None)


def test_a_deletion_that_is_taken_back_stops_the_purge_before_its_next_batch(
    client: Any, contents: VersionedStorage, objects: ObjectStore
) -> None:
    put(contents, VIDEOS, *map(str, range(250)))
    put(contents, OUTPUTS, "output.mp4")
    answers = iter([True, False])

    def may_go_on() -> bool:
        return len(left(client, OUTPUTS)) == 1 and next(answers)

    only_videos = ObjectStore(client, (VIDEOS,))
    (videos,) = only_videos.purge(PREFIX, may_go_on)
    assert (videos.objects, videos.error) == (100, "the deletion was taken back")
    assert len(left(client, VIDEOS)) == 150
    assert [one.objects for one in objects.purge(PREFIX, lambda: False)] == [0, 0, 0]
    assert len(left(client, VIDEOS)) == 150


def test_a_purge_that_cannot_ask_whether_the_deletion_holds_removes_nothing(
    client: Any, contents: VersionedStorage, objects: ObjectStore
) -> None:
    put(contents, VIDEOS, "motion.mp4")

    def may_go_on() -> bool:
        raise Unavailable("Firestore")

    images, videos, _ = objects.purge(PREFIX, may_go_on)
    assert (images.error, videos.objects, left(client, VIDEOS)) == (None, 0, ["motion.mp4"])
    assert videos.error is not None
    assert videos.error.startswith("Firestore cannot be reached")
