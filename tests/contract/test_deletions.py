"""Records of deletions and purges. The same tests run on Firestore's emulator and on the in-memory fake."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore

from shared.deletion.purge import Deletion, DeletionState, Leftovers
from shared.errors import Contended, NotFound
from shared.storage.removal import BucketPurge
from tests.contract.worlds import FirestoreWorld, World, put_many
from tests.jobs import NOW, deleted, document, entry, is_owed, new_id


def of(world: World, job_id: str) -> Deletion:
    deletion = world.deletions.of(job_id)
    assert deletion is not None
    return deletion


def test_a_delete_marks_the_job_and_its_pending_purge_together(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    deletion = world.deletions.mark(user, job_id, NOW)
    assert (deletion.deleted_at, deletion.state, deletion.user_id) == (NOW, DeletionState.PENDING, user)
    fields = world.read(job_id)
    assert (fields["deleted_at"], fields["deleted_by"]) == (NOW, user)
    assert world.entry(job_id) == {**entry(user), "watched_until": NOW + timedelta(minutes=30)}
    assert (fields["status"], "purge" in fields) == ("completed", False)


def test_a_second_delete_keeps_the_first(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    first = world.deletions.mark(user, job_id, NOW)
    assert world.deletions.mark(user, job_id, NOW + timedelta(hours=1)) == first


@pytest.mark.parametrize("purge", [None, "done", 7])
def test_a_deletion_that_others_marked_without_a_purge_gets_one_and_keeps_its_time(
    world: World, user: str, purge: object
) -> None:
    job_id, long_ago = new_id(), NOW - timedelta(days=30)
    world.put(job_id, document(user, deleted_at=long_ago, purge=purge))
    deletion = world.deletions.mark(user, job_id, NOW)
    assert (deletion.deleted_at, deletion.state) == (long_ago, DeletionState.PENDING)
    assert world.entry(job_id) == entry(user, requested_at=long_ago, others_removed_at=long_ago)


@pytest.mark.parametrize("deleted_at", ["yesterday", 7, True])
def test_a_deletion_at_no_real_time_is_marked_anew(world: World, user: str, deleted_at: object) -> None:
    job_id = new_id()
    world.put(job_id, document(user, deleted_at=deleted_at))
    assert world.deletions.mark(user, job_id, NOW).deleted_at == NOW
    assert world.read(job_id)["deleted_at"] == NOW


@pytest.mark.parametrize(
    ("status", "watched_for"), [("processing", timedelta(days=1)), ("completed", timedelta(minutes=30))]
)
def test_sweeps_look_at_a_mark_from_when_it_was_written_though_other_code_deleted_the_job_long_before(
    world: World, user: str, status: str, watched_for: timedelta
) -> None:
    job_id, long_ago = new_id(), NOW - timedelta(days=2)
    world.put(job_id, document(user, status=status, deleted_at=long_ago.isoformat()))
    assert world.deletions.mark(user, job_id, NOW).deleted_at == long_ago
    assert world.entry(job_id)["watched_until"] == NOW + watched_for


@pytest.mark.parametrize("kind", ["unknown", "foreign"])
def test_what_is_not_the_users_cannot_be_deleted(world: World, user: str, kind: str) -> None:
    job_id = new_id()
    if kind == "foreign":
        world.put(job_id, document("somebody-else"))
    with pytest.raises(NotFound):
        world.deletions.mark(user, job_id, NOW)
    if kind == "foreign":
        assert "deleted_at" not in world.read(job_id)


def test_a_lost_mark_of_a_user_who_can_own_no_media_is_put_again_and_nothing_becomes_pending(world: World) -> None:
    (job_id,) = put_many(world, "a/b", document, 1)
    copied = world.read(job_id)
    world.deletions.mark("a/b", job_id, NOW)
    world.put(job_id, copied)
    assert world.deletions.mark("a/b", job_id, NOW).state is DeletionState.DONE
    world.put(job_id, copied)
    world.deletions.reopen(job_id, NOW)
    assert world.read(job_id)["deleted_at"] == NOW
    entry = world.entry(job_id)
    assert (entry["state"], entry["sweep_at"], entry["marks_lost"]) == ("done", None, 2)


def test_a_job_of_a_user_who_can_own_no_media_has_nothing_to_purge(world: World) -> None:
    (job_id,) = put_many(world, "a/b", document, 1)
    assert world.deletions.mark("a/b", job_id, NOW).state is DeletionState.DONE
    pending = world.deletions.all_pending(NOW + timedelta(days=1))
    assert job_id not in [deletion.job_id for deletion in pending]
    assert (world.entry(job_id)["state"], world.entry(job_id)["sweep_at"]) == ("done", None)


@pytest.mark.parametrize("deleted_at", [None, "2026-11-22", 7, True])
def test_only_a_real_time_of_deletion_lets_files_go(world: World, user: str, deleted_at: object) -> None:
    job_id = new_id()
    world.put(job_id, document(user, deleted_at=deleted_at))
    assert world.deletions.of(job_id) is None


def test_the_deletion_names_the_owner_of_the_document(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, deleted, 1)
    deletion = world.deletions.of(job_id)
    assert deletion is not None
    assert (deletion.job_id, deletion.user_id, deletion.state) == (job_id, user, DeletionState.PENDING)
    assert world.deletions.of(new_id()) is None


def test_each_run_adds_to_the_audit_record(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, deleted, 1)
    images, videos = "nuumee-images", "my.videos-2"
    failed = [
        BucketPurge(bucket=images, objects=2, size=20),
        BucketPurge(bucket=videos, objects=1, size=5, error="ServiceUnavailable"),
    ]
    world.deletions.begin_purge(job_id, user, "run 1", NOW)
    assert world.deletions.end_purge(job_id, "run 1", failed, NOW, owner=user).state is DeletionState.PENDING
    purge = world.entry(job_id)
    assert (purge["state"], purge["attempts"], purge["proved_empty_at"]) == ("pending", 1, None)
    assert purge["buckets"] == {
        images: {
            "objects": 2,
            "bytes": 20,
            "error": None,
            "first_removed_at": NOW,
            "removed_at": NOW,
            "proved_empty_at": NOW,
        },
        videos: {
            "objects": 1,
            "bytes": 5,
            "error": "ServiceUnavailable",
            "first_removed_at": NOW,
            "removed_at": NOW,
            "proved_empty_at": None,
        },
    }

    rest = [BucketPurge(bucket=images, objects=0, size=0), BucketPurge(bucket=videos, objects=1, size=7)]
    later = NOW + timedelta(minutes=1)
    world.deletions.begin_purge(job_id, user, "run 2", later)
    assert world.deletions.end_purge(job_id, "run 2", rest, later, owner=user).state is DeletionState.DONE
    purge = world.entry(job_id)
    assert (purge["state"], purge["attempts"], purge["proved_empty_at"]) == ("done", 2, later)
    assert purge["buckets"] == {
        images: {
            "objects": 2,
            "bytes": 20,
            "error": None,
            "first_removed_at": NOW,
            "removed_at": NOW,
            "proved_empty_at": later,
        },
        videos: {
            "objects": 2,
            "bytes": 12,
            "error": None,
            "first_removed_at": NOW,
            "removed_at": later,
            "proved_empty_at": later,
        },
    }
    assert purge["sweep_at"] is None, "nothing is left to do"
    assert purge["requested_at"] == NOW


def test_a_step_that_is_recorded_twice_counts_once(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, deleted, 1)
    outcome = [BucketPurge(bucket="nuumee-images", objects=2, size=20)]
    for _ in range(2):
        world.deletions.begin_purge(job_id, user, "run", NOW)
    for _ in range(2):
        world.deletions.end_purge(job_id, "run", outcome, NOW, owner=user)
    for _ in range(2):
        world.deletions.record_late_upload(job_id, "nuumee-outputs", 7, NOW, size=300, owner=user)
    world.deletions.record_late_upload(job_id, "nuumee-outputs", 8, NOW, size=30, owner=user)
    purge = world.entry(job_id)
    assert (purge["attempts"], purge["buckets"]["nuumee-images"]["objects"]) == (1, 2)
    assert (purge["late_objects"], purge["late_bytes"], purge["late_at"]) == (2, 330, NOW)


def test_a_late_upload_counts_once_with_what_was_removed_and_not_where_a_purge_was_first(
    world: World, user: str
) -> None:
    (job_id,) = put_many(world, user, deleted, 1)
    world.deletions.begin_purge(job_id, user, "run", NOW)
    world.deletions.end_purge(
        job_id, "run", [BucketPurge(bucket="nuumee-outputs", objects=2, size=20)], NOW, owner=user
    )
    for generation, is_removed in ((7, True), (7, True), (7, False), (8, False)):
        late = (job_id, "nuumee-outputs", generation, NOW)
        world.deletions.record_late_upload(*late, size=300, owner=user)
        world.deletions.end_late_removal(*late, is_removed=is_removed, owner=user)
    assert world.entry(job_id)["buckets"]["nuumee-outputs"]["late"] == 1
    assert of(world, job_id).removed == {"nuumee-outputs": 3}


def test_of_two_runs_at_once_the_one_that_fails_last_leaves_a_purge_that_is_due(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    world.deletions.mark(user, job_id, NOW)
    for key in ("first", "second"):
        world.deletions.begin_purge(job_id, user, key, NOW)
    world.deletions.end_purge(job_id, "first", [BucketPurge(bucket="b", objects=1, size=2)], NOW, owner=user)
    failed = BucketPurge(bucket="b", objects=0, size=0, error="away")
    world.deletions.end_purge(job_id, "second", [failed], NOW, owner=user)
    assert [one.state for one in world.deletions.due(NOW, 1000, 1000) if one.job_id == job_id] == [
        DeletionState.PENDING
    ]


def test_a_run_that_was_killed_has_left_its_beginning(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, deleted, 1)
    world.deletions.begin_purge(job_id, user, "run", NOW)
    purge = world.entry(job_id)
    assert (purge["attempts"], purge["started_at"], purge["state"]) == (1, NOW, "pending")


def test_a_run_is_not_begun_for_somebody_else_or_for_a_live_job(world: World, user: str) -> None:
    (gone,) = put_many(world, user, deleted, 1)
    (live,) = put_many(world, user, document, 1)
    world.deletions.mark(user, gone, NOW)
    before = world.read(gone), world.entry(gone), world.read(live)
    found = world.deletions.begin_purge(gone, "somebody-else", "run", NOW)
    assert found is not None
    assert found.user_id == user
    assert world.deletions.begin_purge(live, user, "run", NOW) is None
    assert world.deletions.begin_purge(new_id(), user, "run", NOW) is None
    assert (world.read(gone), world.entry(gone), world.read(live)) == before
    assert world.entry(live) == {}


def test_each_sweep_puts_the_next_further_away(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    world.deletions.mark(user, job_id, NOW)
    waits = []
    for _ in range(9):
        world.deletions.record_sweep(of(world, job_id), NOW)
        waits.append((world.entry(job_id)["sweep_at"] - NOW) / timedelta(minutes=1))
    assert waits == [10, 20, 40, 80, 160, 320, 360, 360, 360]
    deletion = world.deletions.of(job_id)
    assert deletion is not None
    assert (deletion.sweeps, deletion.state) == (9, DeletionState.PENDING)


def test_due_purges_are_found_by_how_long_they_have_been_due(world: World, user: str) -> None:
    long_ago = NOW - timedelta(days=500)  # due earlier than any other test's

    def put(minutes: int, **purge: object) -> str:
        (job_id,) = put_many(world, user, deleted, 1)
        due = long_ago + timedelta(minutes=minutes)
        world.put_entry(job_id, entry(user, **{"sweep_at": due, **purge}))
        return job_id

    second, first, _done = put(2), put(1, sweeps=4), put(0, state="done", sweep_at=None)
    not_yet = put(3)
    now = long_ago + timedelta(minutes=2)
    assert [found.job_id for found in world.deletions.due(now, 10, 10)] == [first, second]
    assert [found.job_id for found in world.deletions.due(now, 1, 1)] == [first]
    for job_id in (first, second, not_yet):
        world.deletions.end_purge(job_id, "run", [], NOW, owner=user)
    assert world.deletions.due(NOW - timedelta(days=499), 10, 10) == []


def test_what_a_user_waits_for_is_due_before_marks_to_look_at_and_neither_hides_the_other(
    world: World, user: str
) -> None:
    long_ago = NOW - timedelta(days=600)
    states = ["done", "restored", "pending", "done", "restoring"]
    ids = put_many(world, user, deleted, len(states))
    for minutes, (job_id, state) in enumerate(zip(ids, states, strict=True)):
        world.put_entry(job_id, entry(user, state=state, sweep_at=long_ago + timedelta(minutes=minutes)))

    def due(owed: int, looks: int) -> list[int]:
        found = world.deletions.due(long_ago + timedelta(hours=1), owed, looks)
        return [ids.index(one.job_id) for one in found]

    assert due(10, 10) == [2, 4, 0, 1, 3]
    assert due(2, 1) == [2, 4, 0]
    assert due(1, 0) == [2]
    assert due(1, 3) == [2, 0, 1, 3]
    assert due(0, 1) == [0]
    for job_id in ids:
        world.put_entry(job_id, entry(user, sweep_at=None))


def test_a_purge_that_was_done_can_be_opened_again_and_is_due_at_once(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    world.deletions.mark(user, job_id, NOW)
    world.deletions.end_purge(job_id, "run", [], NOW, owner=user)
    world.deletions.reopen(job_id, NOW)
    deletion = world.deletions.of(job_id)
    assert deletion is not None
    assert (deletion.state, is_owed(deletion, NOW)) == (DeletionState.PENDING, True)


def test_pending_purges_are_found_oldest_first_and_no_others(world: World, user: str) -> None:
    long_ago = NOW - timedelta(days=400)  # older than any other test's

    def put(minutes: int, state: str) -> str:
        (job_id,) = put_many(world, user, deleted, 1)
        world.put_entry(job_id, entry(user, state=state, requested_at=long_ago + timedelta(minutes=minutes)))
        return job_id

    second, first, _done, third = put(2, "pending"), put(1, "pending"), put(0, "done"), put(3, "pending")
    before = long_ago + timedelta(minutes=3)
    assert [found.job_id for found in world.deletions.all_pending(before)] == [first, second]
    later = world.deletions.all_pending(before + timedelta(seconds=1))
    assert [found.job_id for found in later] == [first, second, third]
    for job_id in (first, second, third):
        world.deletions.end_purge(job_id, "run", [], NOW, owner=user)
    assert list(world.deletions.all_pending(before + timedelta(seconds=1))) == []


@pytest.mark.parametrize("damage", [{"user_id": None}, {"user_id": 7}, {"requested_at": None}, {"state": "odd"}])
def test_a_damaged_entry_keeps_nobody_elses_from_being_found(
    world: World, user: str, damage: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    long_ago = NOW - timedelta(days=800)
    damaged, sound = sorted((new_id(), new_id()))
    world.put_entry(damaged, {**entry(user, requested_at=long_ago, sweep_at=long_ago), **damage})
    world.put_entry(sound, entry(user, requested_at=long_ago, sweep_at=long_ago))
    assert world.deletions.of(damaged) is None
    now = NOW - timedelta(days=700)
    assert [found.job_id for found in world.deletions.all_pending(now)] == [sound]
    # What is in no known state is not owed, so it is met after what is.
    assert [found.job_id for found in world.deletions.due(now, 1, 0)] == ([sound] if "state" in damage else [])
    assert [found.job_id for found in world.deletions.due(now, 1, 1)] == [sound]
    assert [found.job_id for found in world.deletions.due(now, 1, 0)] == [sound]
    assert world.entry(damaged)["sweep_at"] is None, "the damaged one is out of the way"
    assert "ledger_entry_damaged" in [line.getMessage() for line in caplog.records]
    world.deletions.end_purge(sound, "run", [], NOW, owner=user)


def test_a_sweep_that_is_told_twice_counts_once(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    deletion = world.deletions.mark(user, job_id, NOW)
    for _ in range(2):
        world.deletions.record_sweep(deletion, NOW)
    assert of(world, job_id).sweeps == 1


@pytest.mark.parametrize("number", [2**63 - 1, -5, "many", True])
def test_a_number_that_nobody_has_counted_begins_anew(world: World, user: str, number: object) -> None:
    (job_id,) = put_many(world, user, deleted, 1)
    world.put_entry(job_id, entry(user, sweep_at=NOW, sweeps=number, attempts=number))
    world.deletions.begin_purge(job_id, user, "run", NOW)
    world.deletions.record_sweep(of(world, job_id), NOW)
    purge = world.entry(job_id)
    assert (purge["attempts"], purge["sweeps"]) == (1, 1)


@pytest.mark.parametrize("state", [[], {}, 7, None, "teleporting"])
def test_an_odd_state_of_a_purge_is_marked_anew(world: World, user: str, state: object) -> None:
    job_id = new_id()
    world.put(job_id, deleted(user, purge={"state": state}))
    deletion = world.deletions.of(job_id)
    assert deletion is not None
    assert deletion.state is DeletionState.PENDING
    assert world.deletions.mark(user, job_id, NOW).deleted_at == deletion.deleted_at
    assert world.entry(job_id) == entry(user)


def test_of_many_deletes_at_once_one_is_the_first_and_all_say_so(database: firestore.Client, user: str) -> None:
    world = FirestoreWorld(database)
    (job_id,) = put_many(world, user, document, 1)
    together = threading.Barrier(6)

    def delete(number: int) -> object:
        together.wait()
        return world.deletions.mark(user, job_id, NOW + timedelta(seconds=number)).deleted_at

    with ThreadPoolExecutor(6) as threads:
        times = set(threads.map(delete, range(6)))
    assert times == {world.read(job_id)["deleted_at"]}


def test_a_delete_wins_against_a_worker_that_keeps_reporting(database: firestore.Client, user: str) -> None:
    world = FirestoreWorld(database)
    (job_id,) = put_many(world, user, document, 1)
    stop = threading.Event()

    def report() -> None:
        while not stop.wait(0.02):
            database.collection("jobs").document(job_id).update({"status": "processing"})

    worker = threading.Thread(target=report)
    worker.start()
    try:
        world.deletions.mark(user, job_id, NOW)
    finally:
        stop.set()
        worker.join()
    fields = world.read(job_id)
    assert (fields["deleted_at"], world.entry(job_id)["state"]) == (NOW, "pending")


@pytest.mark.parametrize("state", ["done", "restored"])
def test_an_earlier_owners_deletion_that_is_over_does_not_stand_in_the_way(
    world: World, user: str, state: str
) -> None:
    job_id = new_id()
    old = entry("somebody-else", state=state, sweep_at=None, displaced=2, put_back=1, restores=1)
    world.put_entry(job_id, old)
    world.put(job_id, document(user))
    later = NOW + timedelta(minutes=1)
    deletion = world.deletions.mark(user, job_id, later)
    assert (deletion.user_id, deletion.state, deletion.deleted_at) == (user, DeletionState.PENDING, later)
    found = world.entry(job_id)
    assert found["earlier"] == [{**old, "earlier": []}]
    assert (found["displaced"], found["put_back"]) == (2, 2)
    assert world.read(job_id)["deleted_at"] == later


def test_what_an_earlier_owners_deletion_has_left_elsewhere_does_not_stand_in_the_way_for_ever(
    world: World, user: str
) -> None:
    job_id = new_id()
    world.put_entry(job_id, entry("somebody-else"))
    world.deletions.begin_purge(job_id, "somebody-else", "run", NOW)
    left = Leftovers(("videos/somebody-else/clip.mp4",))
    world.deletions.end_purge(
        job_id, "run", [BucketPurge(bucket="b", objects=0, size=0)], NOW, left, owner="somebody-else"
    )
    world.put(job_id, document(user))
    assert world.deletions.mark(user, job_id, NOW).user_id == user
    assert world.entry(job_id)["earlier"][0]["left"] == list(left.left)

    world.deletions.end_purge(job_id, "a late run", [], NOW, owner="somebody-else")
    assert world.entry(job_id)["state"] == "pending", "its run proves nothing about the present owner's files"
    world.deletions.end_purge(job_id, "run", [], NOW, owner=user)
    assert world.entry(job_id)["state"] == "done"


def test_the_next_owner_of_an_id_has_restores_of_their_own(world: World, user: str) -> None:
    job_id = new_id()
    world.put_entry(job_id, entry("somebody-else", state="restored", restores=11, restores_until=NOW))
    world.put(job_id, document(user))
    world.deletions.mark(user, job_id, NOW)
    found = world.entry(job_id)
    assert (found["restores"], "restores_until" in found) == (11, False)


LEFT = ["videos/somebody-else/clip.mp4"]
RESTORED_IN_PART = {"left": LEFT, "buckets": {"b": {"proved_empty_at": NOW}, "c": {"proved_empty_at": None}}}


@pytest.mark.parametrize(
    "old",
    [
        {"state": "pending"},
        {"state": "restoring"},
        {"state": "pending", "left": LEFT},
        {"state": "pending", **RESTORED_IN_PART},
    ],
)
def test_an_earlier_owners_deletion_that_goes_on_is_waited_for(
    world: World, user: str, old: dict[str, object]
) -> None:
    job_id = new_id()
    old = entry("somebody-else", **old)
    world.put_entry(job_id, old)
    world.put(job_id, document(user))
    with pytest.raises(Contended):
        world.deletions.mark(user, job_id, NOW)
    assert world.entry(job_id) == old
    assert "deleted_at" not in world.read(job_id)
