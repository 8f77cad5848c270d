"""What the ledger withstands: stale copies, vanished and full documents, restores, and records of older code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument
from google.cloud import firestore

from shared.deletion.purge import DeletionState, Leftovers
from shared.errors import NotFound
from shared.jobs.pagination import ListQuery
from shared.storage.removal import BucketPurge
from tests.contract.worlds import FirestoreWorld, World, put_many
from tests.jobs import NOW, deleted, document, entry, fill, is_owed, new_id

LATER = NOW + timedelta(minutes=1)
EMPTY = [BucketPurge(bucket="nuumee-images", objects=0, size=0)]


def in_progress(user_id: str, **changes: Any) -> dict[str, Any]:
    return document(user_id, status="processing", **changes)


def is_hidden(world: World, user: str, job_id: str) -> bool:
    """Whether readers that know only the job's document do not see the job."""
    with pytest.raises(NotFound):
        world.repository.get(user, job_id)
    page = world.repository.page(ListQuery(user_id=user))
    return (page.jobs, page.total) == ([], 0)


@pytest.mark.parametrize("moment", ["before the purge", "during it", "at its end"])
def test_a_stale_copy_that_undoes_the_mark_undoes_no_deletion(world: World, user: str, moment: str) -> None:
    job_id, copy = new_id(), document(user)
    world.put(job_id, copy)
    deletion = world.deletions.mark(user, job_id, NOW)
    if moment == "before the purge":
        world.put(job_id, copy)
    assert world.deletions.begin_purge(job_id, user, "run", NOW) is not None
    if moment == "during it":
        world.put(job_id, copy)
    assert world.deletions.still_holds(deletion, NOW)
    assert moment == "at its end" or is_hidden(world, user, job_id)
    if moment == "at its end":
        world.put(job_id, copy)
        after = world.deletions.end_purge(job_id, "run", EMPTY, NOW, owner=user)
        assert is_owed(after, NOW), "the writer may have brought files"
    assert is_hidden(world, user, job_id)
    fields = world.read(job_id)
    assert (fields["deleted_at"], fields["deleted_by"], fields["status"]) == (NOW, user, "completed")


def test_a_stale_copy_that_comes_after_the_purge_is_found_by_a_sweep(world: World, user: str) -> None:
    job_id, copy = new_id(), in_progress(user)
    world.put(job_id, copy)
    world.deletions.mark(user, job_id, NOW)
    done = world.deletions.end_purge(job_id, "run", EMPTY, NOW, owner=user)
    assert (done.state, done.sweep_at) == (DeletionState.DONE, NOW + timedelta(minutes=5))
    world.put(job_id, copy)
    world.deletions.record_sweep(done, done.sweep_at or NOW)
    assert is_hidden(world, user, job_id)
    deletion = world.deletions.of(job_id)
    assert deletion is not None
    assert is_owed(deletion, NOW + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("make", "expected"),
    [(in_progress, [5, 15, 35, 75, 155, 315, 635, 995, 1355, 1715]), (document, [5, 15, 35])],
)
def test_sweeps_look_at_the_mark_of_a_job_in_progress_for_a_day_and_of_others_for_half_an_hour(
    world: World, user: str, make: Callable[[str], dict[str, Any]], expected: list[float]
) -> None:
    job_id = new_id()
    world.put(job_id, make(user))
    world.deletions.mark(user, job_id, NOW)
    deletion = world.deletions.end_purge(job_id, "run", EMPTY, NOW, owner=user)
    looks = []
    while deletion.sweep_at:
        looks.append((deletion.sweep_at - NOW) / timedelta(minutes=1))
        world.deletions.record_sweep(deletion, deletion.sweep_at)
        found = world.deletions.of(job_id)
        assert found is not None
        deletion = found
    assert looks == expected
    assert deletion.state is DeletionState.DONE


@pytest.mark.parametrize("again", ["delete", "late upload", "reopen"])
def test_whatever_meets_a_lost_mark_later_puts_it_again(world: World, user: str, again: str) -> None:
    job_id, copy = new_id(), document(user)
    world.put(job_id, copy)
    world.deletions.mark(user, job_id, NOW)
    world.deletions.end_purge(job_id, "run", EMPTY, NOW, owner=user)
    world.put(job_id, copy)
    if again == "delete":
        deletion = world.deletions.mark(user, job_id, LATER)
        assert (deletion.deleted_at, deletion.state) == (NOW, DeletionState.PENDING)
    elif again == "late upload":
        world.deletions.record_late_upload(job_id, "nuumee-outputs", 7, LATER, size=1, owner=user)
    else:
        world.deletions.reopen(job_id, LATER)
    assert is_hidden(world, user, job_id)
    assert world.entry(job_id)["state"] == "pending"


def test_a_job_whose_document_is_gone_is_purged_for_its_owner(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    deletion = world.deletions.mark(user, job_id, NOW)
    world.remove(job_id)
    begun = world.deletions.begin_purge(job_id, user, "run", NOW)
    assert begun == replace(deletion, first_removal=NOW, is_counted=False)
    assert world.deletions.still_holds(deletion, NOW)
    assert world.deletions.mark(user, job_id, LATER) == begun
    assert world.deletions.standings([job_id])[job_id].user_id == user
    assert world.deletions.end_purge(job_id, "run", EMPTY, NOW, owner=user).state is DeletionState.DONE
    with pytest.raises(NotFound):
        world.deletions.mark("somebody-else", job_id, NOW)
    with pytest.raises(KeyError):  # what is gone stays gone
        world.read(job_id)["user_id"]


@pytest.mark.parametrize("state", ["restoring", "restored"])
def test_a_deletion_that_was_taken_back_lets_no_file_go(world: World, user: str, state: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    deletion = world.deletions.mark(user, job_id, NOW)
    world.deletions.begin_purge(job_id, user, "run 1", NOW)
    before = {**world.entry(job_id), "state": state}
    world.put_entry(job_id, before)
    assert not world.deletions.still_holds(deletion, NOW)
    found = world.deletions.begin_purge(job_id, user, "run 2", NOW)
    assert found is not None
    assert (found.state.value, found.is_deleted) == (state, False)
    world.deletions.reopen(job_id, NOW)
    assert world.entry(job_id) == before
    removed = [BucketPurge(bucket="nuumee-images", objects=3, size=9, error="the deletion was taken back")]
    assert world.deletions.end_purge(job_id, "run 1", removed, NOW, owner=user).state.value == state
    assert world.entry(job_id)["buckets"]["nuumee-images"]["objects"] == 3


def test_a_job_that_is_deleted_while_it_comes_back_is_deleted_since_the_first_time(
    world: World, user: str
) -> None:
    (job_id,) = put_many(world, user, document, 1)
    world.deletions.mark(user, job_id, NOW)
    world.put_entry(job_id, {**world.entry(job_id), "state": "restoring"})
    deletion = world.deletions.mark(user, job_id, LATER)
    assert (deletion.deleted_at, deletion.state) == (NOW, DeletionState.PENDING)
    assert world.entry(job_id)["sweep_at"] == LATER + timedelta(minutes=5)


def test_a_job_that_came_back_is_deleted_anew(world: World, user: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    world.deletions.mark(user, job_id, NOW)
    world.put_entry(job_id, {**world.entry(job_id), "state": "restored", "attempts": 3})
    world.put(job_id, document(user))
    deletion = world.deletions.mark(user, job_id, LATER)
    assert (deletion.deleted_at, deletion.state) == (LATER, DeletionState.PENDING)
    assert (world.entry(job_id)["attempts"], world.read(job_id)["deleted_at"]) == (0, LATER)


OLD = {"state": "pending", "requested_at": NOW, "attempts": 2, "sweeps": 1, "sweep_at": LATER, "recorded": ["a"]}


def test_a_pending_purge_of_the_old_form_goes_on_in_the_ledger(world: World, user: str) -> None:
    job_id = new_id()
    world.put(job_id, deleted(user, deleted_by="operator", purge=OLD))
    assert job_id in world.ledger.old_form_pending(1000)
    world.deletions.take_over(job_id, NOW)
    expected = {"attempts": 2, "sweeps": 1, "sweep_at": LATER, "recorded": ["a"], "requested_by": "operator"}
    assert world.entry(job_id) == entry(user, **expected)
    fields = world.read(job_id)
    assert ("purge" in fields, fields["deleted_at"]) == (False, NOW)
    assert job_id not in world.ledger.old_form_pending(1000)
    assert job_id not in list(world.ledger.old_form())


@pytest.mark.parametrize("step", ["delete", "begin", "end", "sweep", "late upload"])
def test_a_purge_of_the_old_form_is_taken_over_by_whatever_meets_it(world: World, user: str, step: str) -> None:
    job_id = new_id()
    world.put(job_id, deleted(user, purge=OLD))
    deletion = world.deletions.of(job_id)
    assert deletion is not None
    assert (deletion.sweep_at, deletion.sweeps) == (LATER, 1)
    match step:
        case "delete":
            assert world.deletions.mark(user, job_id, LATER) == deletion
        case "begin":
            world.deletions.begin_purge(job_id, user, "run", NOW)
        case "end":
            world.deletions.end_purge(job_id, "run", EMPTY, NOW, owner=user)
        case "sweep":
            world.deletions.record_sweep(deletion, NOW)
        case _:
            world.deletions.record_late_upload(job_id, "nuumee-images", 7, NOW, size=1, owner=user)
    assert "purge" not in world.read(job_id)
    assert (world.entry(job_id)["user_id"], world.entry(job_id)["requested_at"]) == (user, NOW)


def test_a_done_purge_of_the_old_form_stays_done_and_keeps_what_it_removed(world: World, user: str) -> None:
    job_id = new_id()
    buckets = {"nuumee-images": {"objects": 2, "bytes": 20, "error": None}}
    old = {**OLD, "state": "done", "finished_at": LATER, "buckets": buckets}
    world.put(job_id, deleted(user, purge=old))
    assert job_id in list(world.ledger.old_form())
    assert job_id not in world.ledger.old_form_pending(1000)
    deletion = world.deletions.mark(user, job_id, LATER)
    assert (deletion.state, deletion.deleted_at) == (DeletionState.DONE, NOW)
    kept = world.entry(job_id)
    assert (kept["proved_empty_at"], kept["sweep_at"], kept["attempts"]) == (LATER, None, 2)
    times = {"removed_at": LATER, "proved_empty_at": LATER}
    assert kept["buckets"]["nuumee-images"] == {**buckets["nuumee-images"], **times}


@pytest.mark.parametrize("state", ["closed", "failed"])
def test_a_purge_that_older_code_closed_is_proved_anew(world: World, user: str, state: str) -> None:
    job_id = new_id()
    world.put(job_id, deleted(user, purge={"state": state, "requested_at": NOW, "error": "closed"}))
    assert world.deletions.mark(user, job_id, NOW).state is DeletionState.PENDING
    assert world.entry(job_id) == entry(user)


@pytest.mark.parametrize("damage", [{"user_id": 7}, {"deleted_at": None}, {"deleted_at": "then"}])
def test_a_purge_of_the_old_form_without_a_deletion_is_told_and_comes_up_no_more(
    world: World, user: str, damage: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    job_id = new_id()
    world.put(job_id, {**deleted(user, purge=OLD), **damage})
    assert world.deletions.take_over(job_id, NOW) is None
    assert world.entry(job_id) == {}
    assert "purge_without_deletion" in [line.getMessage() for line in caplog.records]
    assert job_id not in world.ledger.old_form_pending(1000)


@pytest.mark.parametrize("deleted_at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_a_mark_at_an_end_of_the_calendar_lets_no_file_go_and_is_marked_anew(
    world: World, user: str, deleted_at: datetime
) -> None:
    job_id = new_id()
    world.put(job_id, in_progress(user, deleted_at=deleted_at))
    assert is_hidden(world, user, job_id)
    assert world.deletions.of(job_id) is None
    assert world.deletions.mark(user, job_id, NOW).deleted_at == NOW
    assert world.read(job_id)["deleted_at"] == NOW


@pytest.mark.parametrize("found", [Leftovers(left=("images/u/j/1",)), Leftovers(going=("images/u/j/1",))])
def test_a_purge_is_not_done_while_an_object_is_left_that_the_job_names(
    world: World, user: str, found: Leftovers
) -> None:
    (job_id,) = put_many(world, user, document, 1)
    world.deletions.mark(user, job_id, NOW)
    after = world.deletions.end_purge(job_id, "run 1", EMPTY, NOW, found, owner=user)
    assert (after.state, after.left) == (DeletionState.PENDING, found.left)
    assert world.entry(job_id)["left"] == list(found.left)
    assert world.deletions.end_purge(job_id, "run 2", EMPTY, NOW, owner=user).state is DeletionState.DONE


def test_what_a_job_names_elsewhere_is_remembered_although_its_document_forgets_it(
    world: World, user: str
) -> None:
    job_id = new_id()
    inside, outside = f"{user}/{job_id}/motion.mp4", f"{user}/other/output.mp4"
    paths = {"motion_video_path": inside, "input_video_path": outside, "reference_image_path": "you/a/b.png"}
    world.put(job_id, document(user, **paths))
    assert world.deletions.mark(user, job_id, NOW).named == (f"outputs/{outside}",)
    world.put(job_id, document(user, reference_image_path=f"{user}/uploads/b.png"))
    deletion = world.deletions.begin_purge(job_id, user, "run", NOW)
    assert deletion is not None
    assert deletion.named == (f"outputs/{outside}", f"images/{user}/uploads/b.png")


@pytest.mark.parametrize("room", [0, 1, 100, 157, 158, 214])
def test_a_document_without_room_for_the_mark_gets_it(database: firestore.Client, user: str, room: int) -> None:
    world, job_id = FirestoreWorld(database), new_id()
    fill(database, job_id, document(user))
    full = world.read(job_id)
    prompt = full["extension_prompt"][room:]
    world.put(job_id, {**full, "extension_prompt": prompt})
    deletion = world.deletions.mark(user, job_id, NOW)
    assert world.deletions.begin_purge(job_id, user, "run", NOW) == replace(
        deletion, first_removal=NOW, is_counted=False
    )
    assert is_hidden(world, user, job_id)
    kept = {**world.read(job_id), **world.ledger.displaced(job_id, 0)}
    assert (kept["extension_prompt"], kept["deleted_at"], kept["created_at"]) == (prompt, NOW, full["created_at"])
    assert world.deletions.end_purge(job_id, "run", EMPTY, NOW, owner=user).state is DeletionState.DONE


def test_a_full_copy_of_a_full_document_makes_room_again(database: firestore.Client, user: str) -> None:
    world, job_id = FirestoreWorld(database), new_id()
    fill(database, job_id, {"user_id": user, "created_at": NOW, "odd `name`": {"a": ["b" * 9]}})
    copy = world.read(job_id)
    for _ in range(2):
        world.put(job_id, copy)
        world.deletions.mark(user, job_id, NOW)
        assert is_hidden(world, user, job_id)
    assert world.ledger.displaced(job_id, 0) == {"extension_prompt": copy["extension_prompt"]}
    assert world.entry(job_id)["displaced"] == 2


def test_a_full_document_gets_its_mark_although_a_hand_removed_the_entry_that_had_made_room_before(
    database: firestore.Client, user: str
) -> None:
    world, job_id = FirestoreWorld(database), new_id()
    fill(database, job_id, {"user_id": user, "created_at": NOW})
    copy = world.read(job_id)
    world.deletions.mark(user, job_id, NOW)
    world.put(job_id, copy)
    database.collection("deletions").document(job_id).delete()
    world.deletions.mark(user, job_id, NOW)
    assert is_hidden(world, user, job_id)
    assert world.entry(job_id)["displaced"] == 2


def test_a_document_that_a_field_fills_by_which_lists_find_jobs_gets_its_mark(
    database: firestore.Client, user: str
) -> None:
    world, job_id = FirestoreWorld(database), new_id()
    fill(database, job_id, {"user_id": user, "created_at": NOW})
    status = world.read(job_id)["extension_prompt"]
    full = {"user_id": user, "created_at": NOW, "status": status}
    world.put(job_id, full)
    world.deletions.mark(user, job_id, NOW)
    assert is_hidden(world, user, job_id)
    assert world.read(job_id) | world.ledger.displaced(job_id, 0) == full | {"deleted_at": NOW, "deleted_by": user}


def test_a_document_that_is_full_of_index_entries_gets_its_mark(
    database: firestore.Client, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator has no such limit. https://firebase.google.com/docs/firestore/quotas#indexes"""
    world, job_id, commit = FirestoreWorld(database), new_id(), firestore.WriteBatch.commit
    full = document(user, large="x" * 2000, many=list(range(20)), view_count=7)
    world.put(job_id, full)

    def limited(batch: firestore.WriteBatch, **limits: Any) -> Any:
        if "many" in world.read(job_id) and not any("many" in str(write) for write in batch._write_pbs):
            raise InvalidArgument("too many index entries for entity")
        return commit(batch, **limits)

    monkeypatch.setattr(firestore.WriteBatch, "commit", limited)
    world.deletions.mark(user, job_id, NOW)
    assert is_hidden(world, user, job_id)
    needed = {"user_id", "created_at", "status", "view_count"}
    assert world.read(job_id).keys() == needed | {"deleted_at", "deleted_by"}
    assert world.read(job_id) | world.ledger.displaced(job_id, 0) == full | {"deleted_at": NOW, "deleted_by": user}


def test_a_document_that_is_full_of_small_fields_gets_its_mark_too(database: firestore.Client, user: str) -> None:
    world, job_id = FirestoreWorld(database), new_id()
    small = {f"{number}.`odd`": "x" * 60 for number in range(40)}
    fill(database, job_id, {"user_id": user, "created_at": NOW, **small})
    full = world.read(job_id)
    text = full.pop("extension_prompt")
    parts = [text[start : start + 100_000] for start in range(0, 1_000_000, 100_000)]
    # Firestore counts each name and a byte for each text.
    world.put(job_id, {**full, **{f"part-{number}": part[12:] for number, part in enumerate(parts)}})
    world.deletions.mark(user, job_id, NOW)
    assert is_hidden(world, user, job_id)
