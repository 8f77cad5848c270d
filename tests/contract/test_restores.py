"""Deletions that are taken back, and the trash. The same tests run on Firestore's emulator and on the fake."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from shared.deletion.erasing import Erasing
from shared.deletion.purge import Deletion, DeletionState
from shared.deletion.restores import Restores
from shared.deletion.trash import Trash, TrashPage
from shared.errors import Gone, NotDeleted, NotFound, RestoreIncomplete, TooManyRequests
from shared.jobs.pagination import ListQuery
from shared.storage.removal import BucketPurge
from shared.storage.retention import Retention
from tests.contract.worlds import FirestoreWorld, World, put_many
from tests.fake_firestore import LONGEST_RUN, SWEEP_AFTER
from tests.jobs import NOW, document, fill, new_id

WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)
MARGIN = SWEEP_AFTER + LONGEST_RUN
KEPT = Retention(WEEK, NOW - 10 * WEEK)
RESTORING, RESTORED, PENDING = DeletionState.RESTORING, DeletionState.RESTORED, DeletionState.PENDING


@pytest.fixture
def restores(world: World) -> Restores:
    return Restores(world.ledger, SWEEP_AFTER, LONGEST_RUN)


@pytest.fixture
def job_id(world: World, user: str) -> str:
    (made,) = put_many(world, user, document, 1)
    return made


def entry(world: World, job_id: str) -> dict[str, Any]:
    return world.ledger.read([job_id])[job_id].entry


def request(restores: Restores, user: str, job_id: str, now: datetime = NOW + MINUTE) -> Deletion:
    return restores.request(user, job_id, KEPT.kept_until, now, lambda: None)


def wish(restores: Restores, job_id: str) -> Deletion:
    found = restores.of(job_id)
    assert found is not None
    return found


def finish(restores: Restores, job_id: str, now: datetime) -> DeletionState | None:
    return restores.finish(wish(restores, job_id), now)


def purge(world: World, user: str, job_id: str, key: str = "run") -> None:
    world.deletions.begin_purge(job_id, user, key, NOW)
    world.deletions.end_purge(job_id, key, [BucketPurge(bucket="b", objects=1, size=2)], NOW, owner=user)


def delete_again(world: World, user: str, job_id: str, how: str | None) -> None:
    match how:
        case "purge":
            purge(world, user, job_id)
        case "late upload":
            world.deletions.record_late_upload(job_id, "b", 7, NOW, size=1, owner=user)
            world.deletions.end_late_removal(job_id, "b", 7, NOW, is_removed=True, owner=user)
        case "delete":
            world.deletions.mark(user, job_id, NOW)
        case "erasure":
            erasure = world.erasures.request(user, 0, None, by=user, now=NOW)
            Erasing(world.ledger, world.deletions).erase(erasure, [job_id], NOW)


def test_a_restored_job_is_as_it_was(world: World, restores: Restores, user: str, job_id: str) -> None:
    before = dict(world.read(job_id))
    world.deletions.mark(user, job_id, NOW)
    purge(world, user, job_id)
    assert request(restores, user, job_id).state is RESTORING
    assert world.read(job_id)["deleted_at"] == NOW  # hidden until all is back
    assert restores.is_wanted(wish(restores, job_id))
    assert restores.may_begin(job_id, NOW)
    assert finish(restores, job_id, NOW + 2 * MINUTE) is RESTORED
    assert world.read(job_id) == before
    assert not restores.is_wanted(wish(restores, job_id))
    kept = entry(world, job_id)
    assert (kept["requested_at"], kept["restored_at"]) == (NOW, NOW + 2 * MINUTE)
    assert kept["buckets"]["b"]["objects"] == 1


def test_a_second_request_changes_nothing(world: World, restores: Restores, user: str, job_id: str) -> None:
    world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id)
    first = entry(world, job_id)
    assert request(restores, user, job_id, NOW + 3 * MINUTE).state is RESTORING
    assert entry(world, job_id) == first
    finish(restores, job_id, NOW)
    assert request(restores, user, job_id, NOW + 9 * WEEK).state is RESTORED


def test_a_live_job_cannot_be_restored(restores: Restores, user: str, job_id: str) -> None:
    with pytest.raises(NotDeleted):
        request(restores, user, job_id)


@pytest.mark.parametrize("kind", ["unknown", "impossible", "another's"])
def test_what_is_not_the_users_cannot_be_restored(
    world: World, restores: Restores, user: str, job_id: str, kind: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    asked = {"unknown": new_id(), "impossible": "..", "another's": job_id}[kind]
    with pytest.raises(NotFound):
        request(restores, "somebody-else", asked)
    assert entry(world, job_id)["state"] == "pending"


@pytest.mark.parametrize("after", [WEEK, 2 * WEEK])
def test_after_the_last_copy_is_gone_a_job_cannot_be_restored(
    world: World, restores: Restores, user: str, job_id: str, after: timedelta
) -> None:
    world.deletions.mark(user, job_id, NOW)
    purge(world, user, job_id)
    with pytest.raises(Gone):
        request(restores, user, job_id, NOW + after)
    assert request(restores, user, job_id, NOW + WEEK - MARGIN - MINUTE).state is RESTORING


def test_the_time_counts_from_the_first_removal(world: World, restores: Restores, user: str, job_id: str) -> None:
    world.deletions.mark(user, job_id, NOW - 3 * WEEK)
    found = world.deletions.of(job_id)
    assert found is not None
    assert found.first_removal is None
    world.deletions.begin_purge(job_id, user, "killed", NOW)
    found = world.deletions.of(job_id)
    assert found is not None
    assert found.first_removal == NOW
    for number, key in enumerate(("late", "last"), 1):
        at = NOW + number * timedelta(hours=2)
        world.deletions.begin_purge(job_id, user, key, at)
        world.deletions.end_purge(job_id, key, [BucketPurge(bucket="b", objects=2, size=2)], at, owner=user)
    assert entry(world, job_id)["buckets"]["b"]["first_removed_at"] == NOW
    with pytest.raises(Gone):
        request(restores, user, job_id, NOW + WEEK - MARGIN)
    assert request(restores, user, job_id, NOW + WEEK - MARGIN - MINUTE).removed == {"b": 4}


def test_a_purge_that_was_cut_off_does_not_shorten_the_time_of_a_later_deletion(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    world.deletions.begin_purge(job_id, user, "killed", NOW)
    purge(world, user, job_id)
    request(restores, user, job_id)
    assert finish(restores, job_id, NOW + LONGEST_RUN) is RESTORED
    again = NOW + 4 * WEEK
    world.deletions.mark(user, job_id, again)
    world.deletions.begin_purge(job_id, user, "next", again)
    world.deletions.end_purge(job_id, "next", [BucketPurge(bucket="b", objects=1, size=2)], again, owner=user)
    assert wish(restores, job_id).first_removal == again
    assert request(restores, user, job_id, again + MINUTE).state is RESTORING


def test_what_was_never_removed_comes_back_at_any_time(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    world.deletions.begin_purge(job_id, user, "run", NOW)
    world.deletions.end_purge(job_id, "run", [BucketPurge(bucket="b", objects=0, size=0)], NOW, owner=user)
    assert restores.request(user, job_id, lambda _: None, NOW + 9 * WEEK, lambda: None).state is RESTORING


def test_a_removal_of_which_earlier_code_kept_no_time_counts_from_the_delete(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    world.put_entry(job_id, {**entry(world, job_id), "attempts": 1})
    with pytest.raises(Gone):
        request(restores, user, job_id, NOW + WEEK - MARGIN)


def test_where_nothing_is_kept_a_job_cannot_be_restored(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    purge(world, user, job_id)
    with pytest.raises(Gone):
        restores.request(user, job_id, lambda _: None, NOW, lambda: None)
    assert entry(world, job_id)["state"] == "done"


def test_a_deletion_that_older_code_wrote_can_be_taken_back(world: World, restores: Restores, user: str) -> None:
    job_id = new_id()
    purge = {"state": "done", "requested_at": NOW, "attempts": 1, "finished_at": NOW}
    world.put(job_id, document(user, deleted_at=NOW, deleted_by=user, purge=purge))
    assert request(restores, user, job_id).state is RESTORING
    assert finish(restores, job_id, NOW) is RESTORED
    assert world.read(job_id).keys().isdisjoint({"deleted_at", "deleted_by", "purge"})


@pytest.mark.parametrize("again", [None, "purge", "late upload", "delete", "erasure"])
def test_a_job_that_other_code_deleted_can_be_restored_only_as_long_as_if_that_removed_its_files(
    world: World, restores: Restores, user: str, again: str | None
) -> None:
    recent, old = new_id(), new_id()
    world.put(recent, document(user, deleted_at=NOW - timedelta(days=2)))
    world.put(old, document(user, deleted_at=NOW - timedelta(days=400)))
    for job_id in (recent, old):
        delete_again(world, user, job_id, again)
    with pytest.raises(Gone):
        request(restores, user, old)
    assert old not in [one.job.id for one in trash(world, user).jobs]
    assert request(restores, user, recent).state is RESTORING
    assert finish(restores, recent, NOW + 2 * MINUTE) is RESTORED
    later = NOW + 4 * WEEK
    world.deletions.mark(user, recent, later)
    assert request(restores, user, recent, later + WEEK).state is RESTORING, "what others removed is long back"


@pytest.mark.parametrize("again", ["delete", "erasure"])
@pytest.mark.parametrize("form", [datetime.isoformat, lambda time: int(time.timestamp() * 1000)])
def test_a_time_of_deletion_that_other_code_wrote_in_its_own_form_counts_as_well(
    world: World, restores: Restores, user: str, form: Callable[[datetime], object], again: str
) -> None:
    recent, old = new_id(), new_id()
    times = {recent: NOW - timedelta(days=2), old: NOW - timedelta(days=400)}
    for job_id, time in times.items():
        world.put(job_id, document(user, deleted_at=form(time)))
        delete_again(world, user, job_id, again)
        delete_again(world, user, job_id, again)
        assert entry(world, job_id)["requested_at"] == world.read(job_id)["deleted_at"] == time
    assert [one.job.id for one in trash(world, user).jobs] == [recent]
    with pytest.raises(Gone):
        request(restores, user, old)
    assert request(restores, user, recent).state is RESTORING


@pytest.mark.parametrize("again", ["delete", "erasure"])
@pytest.mark.parametrize(
    ("deleted_at", "created_at"),
    [
        ("yesterday", NOW - 9 * WEEK),
        ("0001-01-01T00:00:00+14:00", NOW - 9 * WEEK),
        (7, "then"),
        (True, None),
        (math.inf, NOW - 9 * WEEK),
        (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_of_a_job_that_other_code_deleted_at_an_unknown_time_the_files_may_be_gone_since_it_was_made(
    world: World, restores: Restores, user: str, deleted_at: object, created_at: object, again: str
) -> None:
    job_id = new_id()
    world.put(job_id, document(user, deleted_at=deleted_at, created_at=created_at))
    delete_again(world, user, job_id, again)
    assert trash(world, user).jobs == []
    with pytest.raises(Gone):
        request(restores, user, job_id)


def test_a_job_that_is_deleted_while_a_stale_copy_hides_it_can_be_restored_again(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW - 9 * WEEK)
    stale = dict(world.read(job_id))
    request(restores, user, job_id, NOW - 9 * WEEK)
    finish(restores, job_id, NOW - 9 * WEEK)
    world.put(job_id, stale)
    assert world.deletions.mark(user, job_id, NOW).deleted_at == NOW
    assert request(restores, user, job_id).state is RESTORING


@pytest.mark.parametrize("deleted_at", [NOW + 9 * WEEK, "yesterday"])
def test_a_restored_job_that_other_code_deleted_since_is_not_said_to_be_restored(
    world: World, restores: Restores, user: str, job_id: str, deleted_at: object
) -> None:
    world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id)
    finish(restores, job_id, NOW + 2 * MINUTE)
    before = entry(world, job_id)
    world.put(job_id, {**world.read(job_id), "deleted_at": deleted_at})
    with pytest.raises(Gone):
        request(restores, user, job_id, NOW + 9 * WEEK)
    assert entry(world, job_id) == before


def test_a_job_of_a_user_who_can_own_no_media_is_live_at_once(world: World, restores: Restores) -> None:
    job_id = new_id()
    world.put(job_id, document("a/b"))
    world.deletions.mark("a/b", job_id, NOW)
    assert request(restores, "a/b", job_id).state is RESTORED
    assert "deleted_at" not in world.read(job_id)


def test_a_delete_stops_a_restore_and_keeps_its_first_time(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id)
    again = world.deletions.mark(user, job_id, NOW + 2 * MINUTE)
    assert (again.state, again.deleted_at) == (PENDING, NOW)
    assert not restores.is_wanted(wish(restores, job_id))
    assert finish(restores, job_id, NOW) is PENDING
    assert world.read(job_id)["deleted_at"] == NOW


def test_a_job_is_restored_ten_times_at_once_and_then_once_an_hour(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    for number in range(10):
        world.deletions.mark(user, job_id, NOW)
        request(restores, user, job_id, NOW)
        if number % 2:  # else it is deleted again before it is back
            assert finish(restores, job_id, NOW) is RESTORED
    assert request(restores, user, job_id, NOW).state is RESTORED, "to ask again costs nothing"
    world.deletions.mark(user, job_id, NOW)
    before = entry(world, job_id)
    with pytest.raises(TooManyRequests) as caught:
        request(restores, user, job_id, NOW + MINUTE)
    assert caught.value.headers["Retry-After"] == "3540"
    assert caught.value.detail.endswith("It can be restored again in 59 minutes.")
    assert entry(world, job_id) == before
    assert request(restores, user, job_id, NOW + timedelta(hours=1)).state is RESTORING


def test_a_restore_gives_nothing_back_to_another_user_who_has_the_id_by_then(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id)
    others = document("somebody-else")
    world.put(job_id, others)
    assert finish(restores, job_id, NOW + 2 * MINUTE) is PENDING
    assert world.read(job_id) == others


def test_a_delete_after_a_restore_is_a_new_one(world: World, restores: Restores, user: str, job_id: str) -> None:
    world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id)
    finish(restores, job_id, NOW + MINUTE)
    again = world.deletions.mark(user, job_id, NOW + WEEK)
    assert (again.state, again.deleted_at) == (PENDING, NOW + WEEK)
    assert world.read(job_id)["deleted_at"] == NOW + WEEK
    assert request(restores, user, job_id, NOW + 2 * WEEK - MARGIN).state is RESTORING


@pytest.mark.parametrize("is_live_between", [False, True])
def test_a_run_proves_nothing_of_what_came_after_the_deletion_was_taken_back(
    world: World, restores: Restores, user: str, job_id: str, is_live_between: bool
) -> None:
    empty = [BucketPurge(bucket="b", objects=0, size=0)]
    world.deletions.mark(user, job_id, NOW)
    world.deletions.begin_purge(job_id, user, "slow", NOW)
    request(restores, user, job_id)
    if is_live_between:
        assert finish(restores, job_id, NOW + LONGEST_RUN) is RESTORED
    again = NOW + LONGEST_RUN + MINUTE
    world.deletions.mark(user, job_id, again)
    assert world.deletions.end_purge(job_id, "slow", empty, again + MINUTE, owner=user).state is PENDING
    kept = entry(world, job_id)
    assert (kept["proved_empty_at"], kept["buckets"]["b"]["proved_empty_at"]) == (None, None)
    assert kept["sweep_at"] == again + SWEEP_AFTER
    world.deletions.begin_purge(job_id, user, "next", again + 2 * MINUTE)
    done = world.deletions.end_purge(job_id, "next", empty, again + 3 * MINUTE, owner=user)
    assert done.state is DeletionState.DONE


def test_a_restore_waits_for_a_run_that_may_still_remove(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    world.deletions.begin_purge(job_id, user, "killed", NOW)
    world.deletions.begin_purge(job_id, user, "slow", NOW + MINUTE)
    request(restores, user, job_id)
    world.deletions.end_purge(job_id, "slow", [], NOW + MINUTE, owner=user)
    assert not restores.may_begin(job_id, NOW + LONGEST_RUN - MINUTE)
    with pytest.raises(RestoreIncomplete):
        finish(restores, job_id, NOW + LONGEST_RUN - MINUTE)
    assert entry(world, job_id)["state"] == "restoring"
    assert restores.may_begin(job_id, NOW + LONGEST_RUN)
    assert finish(restores, job_id, NOW + LONGEST_RUN) is RESTORED


def test_a_restore_waits_for_a_late_upload_that_is_being_removed(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    assert world.deletions.record_late_upload(job_id, "b", 7, NOW, size=2, owner=user)
    request(restores, user, job_id)
    assert not restores.may_begin(job_id, NOW + MINUTE)
    world.deletions.end_late_removal(job_id, "b", 7, NOW, is_removed=True, owner=user)
    assert restores.may_begin(job_id, NOW + MINUTE)


def test_nothing_is_removed_of_a_job_that_is_being_restored_or_was(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    deletion = world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id)
    for is_over in (False, True):
        if is_over:
            finish(restores, job_id, NOW)
        assert not world.deletions.record_late_upload(job_id, "b", 7, NOW, size=2, owner=user)
        assert not world.deletions.still_holds(deletion, NOW)
        begun = world.deletions.begin_purge(job_id, user, f"run {is_over}", NOW)
        assert begun is not None
        assert not begun.is_deleted
        assert restores.may_begin(job_id, NOW)


def test_a_restore_that_can_no_longer_succeed_leaves_the_job_deleted(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id)
    restores.abandon(wish(restores, job_id), NOW + WEEK)
    assert [one.job_id for one in world.deletions.due(NOW + WEEK, 1000, 1000) if one.job_id == job_id] == [job_id]
    assert entry(world, job_id)["state"] == "pending"
    assert world.read(job_id)["deleted_at"] == NOW
    restores.abandon(wish(restores, job_id), NOW)
    assert entry(world, job_id)["state"] == "pending"


def test_a_run_ends_no_restore_but_its_own(world: World, restores: Restores, user: str, job_id: str) -> None:
    world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id)
    first = wish(restores, job_id)
    world.deletions.mark(user, job_id, NOW + MINUTE)  # at the very time of the first request
    request(restores, user, job_id)
    assert not restores.is_wanted(first)
    for end in (restores.finish, restores.abandon):
        with pytest.raises(RestoreIncomplete):
            end(first, NOW + MINUTE)
    assert finish(restores, job_id, NOW + MINUTE) is RESTORED
    world.deletions.mark(user, job_id, NOW + 2 * MINUTE)
    request(restores, user, job_id, NOW + 2 * MINUTE)
    assert not restores.is_wanted(first)
    with pytest.raises(RestoreIncomplete):
        restores.abandon(first, NOW + 2 * MINUTE)
    assert restores.is_wanted(wish(restores, job_id))


def test_a_sweep_is_due_while_a_restore_is_not_finished(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id, NOW)
    (due,) = (one for one in world.deletions.due(NOW + SWEEP_AFTER, 1000, 1000) if one.job_id == job_id)
    assert due.state is RESTORING
    restores.record_sweep(due, NOW + SWEEP_AFTER)
    swept = entry(world, job_id)
    assert (swept["sweeps"], swept["sweep_at"]) == (1, NOW + 3 * SWEEP_AFTER)
    assert swept["state"] == "restoring"


def test_a_stale_copy_that_brings_the_mark_back_does_not_hide_the_job_for_long(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    stale = dict(world.read(job_id))
    request(restores, user, job_id, NOW)
    finish(restores, job_id, NOW + MINUTE)
    world.put(job_id, stale)
    (due,) = (one for one in world.deletions.due(NOW + MINUTE + SWEEP_AFTER, 1000, 1000) if one.job_id == job_id)
    restores.record_sweep(due, NOW + MINUTE + SWEEP_AFTER)
    assert world.read(job_id).keys().isdisjoint({"deleted_at", "deleted_by"})


def test_a_request_for_a_restored_job_with_a_stale_mark_takes_the_mark_away_at_once(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    stale = dict(world.read(job_id))
    request(restores, user, job_id, NOW)
    finish(restores, job_id, NOW + MINUTE)
    world.put(job_id, stale)
    # Also long after: the files are there, and none can be gone.
    assert request(restores, user, job_id, NOW + 9 * WEEK).state is RESTORED
    assert world.read(job_id).keys().isdisjoint({"deleted_at", "deleted_by"})
    assert entry(world, job_id)["restores"] == 1


def test_a_stale_mark_is_known_although_the_deletes_clock_was_ahead_of_the_restores(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW + MINUTE)
    stale = dict(world.read(job_id))
    request(restores, user, job_id, NOW)
    finish(restores, job_id, NOW)
    world.put(job_id, stale)
    restores.record_sweep(wish(restores, job_id), NOW + MINUTE)
    assert world.read(job_id).keys().isdisjoint({"deleted_at", "deleted_by"})


def test_sweeps_look_at_a_restored_job_for_a_day(world: World, restores: Restores, user: str, job_id: str) -> None:
    world.deletions.mark(user, job_id, NOW)
    request(restores, user, job_id, NOW)
    finish(restores, job_id, NOW)
    now, looks = NOW, 0
    while (due := entry(world, job_id)["sweep_at"]) is not None:
        now, looks = due, looks + 1
        deletion = restores.of(job_id)
        assert deletion is not None
        restores.record_sweep(deletion, now)
    assert NOW + timedelta(days=1) <= now <= NOW + timedelta(days=1, hours=6)
    assert looks < 15


@pytest.mark.stack
def test_a_full_document_gets_its_displaced_field_back(database: firestore.Client, user: str) -> None:
    world = FirestoreWorld(database)
    restores = Restores(world.ledger, SWEEP_AFTER, LONGEST_RUN)
    job_id = new_id()
    fill(database, job_id, document(user))
    before = world.read(job_id)
    for cycle in range(2):
        world.deletions.mark(user, job_id, NOW + cycle * WEEK)
        assert "extension_prompt" not in world.read(job_id)
        request(restores, user, job_id, NOW + cycle * WEEK)
        assert finish(restores, job_id, NOW + cycle * WEEK) is RESTORED
        assert world.read(job_id) == before


@pytest.mark.stack
@pytest.mark.parametrize(
    "written", [{"status": "x" * 900_000}, {"completed_at": NOW, "posters": {"output_video": "p" * 70}}]
)
def test_a_restore_takes_nothing_from_a_job_whose_writer_has_used_the_room(
    database: firestore.Client, user: str, written: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    world = FirestoreWorld(database)
    restores = Restores(world.ledger, SWEEP_AFTER, LONGEST_RUN)
    job_id = new_id()
    fill(database, job_id, document(user, output_video_path="an output"))
    whole = world.read(job_id)
    world.deletions.mark(user, job_id, NOW)
    database.collection("jobs").document(job_id).update(written)
    request(restores, user, job_id)
    with caplog.at_level("ERROR", "nuumee"):
        assert finish(restores, job_id, NOW) is RESTORED
    text = whole.pop("extension_prompt")
    assert world.read(job_id) == {**whole, **written}
    assert caplog.messages == ["restore_left_fields"]
    # The text has not been lost: where there is room, the next restore puts it back.
    world.put(job_id, {**whole, "status": "completed"})
    world.deletions.mark(user, job_id, NOW + WEEK)
    request(restores, user, job_id, NOW + WEEK)
    finish(restores, job_id, NOW + WEEK)
    assert world.read(job_id) == {**whole, "status": "completed", "extension_prompt": text}
    assert caplog.messages == ["restore_left_fields"]


@pytest.mark.stack
def test_a_job_in_progress_without_room_for_a_small_field_loses_no_time_of_its_last_change(
    database: firestore.Client, user: str
) -> None:
    world = FirestoreWorld(database)
    restores = Restores(world.ledger, SWEEP_AFTER, LONGEST_RUN)
    job_id = new_id()
    mark = {"deleted_at": NOW, "deleted_by": user}
    fill(database, job_id, document(user, status="processing", **mark))
    world.put_displaced(job_id, {"name": "n" * 400})
    world.put_entry(
        job_id,
        {"user_id": user, "requested_at": NOW, "requested_by": user, "state": "restoring", "displaced": 1},
    )
    assert finish(restores, job_id, NOW + MINUTE) is RESTORED
    kept = world.read(job_id)
    assert (kept["updated_at"], "name" in kept) == (NOW + MINUTE, False)


@pytest.mark.stack
def test_a_displaced_field_that_was_written_since_keeps_its_newer_value(
    database: firestore.Client, user: str
) -> None:
    world = FirestoreWorld(database)
    restores = Restores(world.ledger, SWEEP_AFTER, LONGEST_RUN)
    job_id = new_id()
    fill(database, job_id, document(user))
    world.deletions.mark(user, job_id, NOW)
    database.collection("jobs").document(job_id).update({"extension_prompt": "newer"})
    request(restores, user, job_id)
    finish(restores, job_id, NOW)
    assert world.read(job_id)["extension_prompt"] == "newer"
    # What one restore has put back, or has not, no later one puts back.
    database.collection("jobs").document(job_id).update({"extension_prompt": firestore.DELETE_FIELD})
    world.deletions.mark(user, job_id, NOW + WEEK)
    request(restores, user, job_id, NOW + WEEK)
    finish(restores, job_id, NOW + WEEK)
    assert "extension_prompt" not in world.read(job_id)


def trash(world: World, user: str, kept: Retention = KEPT, now: datetime = NOW, **options: Any) -> TrashPage:
    query = ListQuery(user_id=user, deleted=True, **options)
    return Trash(world.ledger, SWEEP_AFTER, LONGEST_RUN).page(query, kept, now)


def deleted_jobs(world: World, user: str, count: int) -> list[str]:
    """Each was deleted an hour before the one that comes before it; two at a time at the same time."""
    ids = put_many(world, user, document, count)
    for number, job_id in enumerate(ids):
        world.deletions.mark(user, job_id, NOW - timedelta(hours=number // 2))
    return sorted(ids, key=lambda one: (-(ids.index(one) // 2), one), reverse=True)


def test_the_trash_holds_what_can_be_restored_with_the_last_deleted_first(
    world: World, restores: Restores, user: str
) -> None:
    ids = deleted_jobs(world, user, 6)
    deleted_jobs(world, f"{user}-2", 1)
    put_many(world, user, document, 1)
    purge(world, user, ids[0])
    request(restores, user, ids[2], NOW)
    request(restores, user, ids[3], NOW)
    finish(restores, ids[3], NOW)
    found = trash(world, user)
    assert [one.job.id for one in found.jobs] == [ids[0], ids[1], ids[4], ids[5]]
    assert [one.deletion.state.value for one in found.jobs] == ["done", "pending", "pending", "pending"]
    assert found.jobs[0].recoverable_until == NOW + WEEK - MARGIN
    assert (found.total, found.number, found.next) == (4, 1, None)


def test_the_trash_forgets_what_is_gone_for_good(world: World, user: str) -> None:
    ids = deleted_jobs(world, user, 4)
    assert [one.job.id for one in trash(world, user, now=NOW + WEEK - timedelta(hours=1)).jobs] == ids[:2]
    assert trash(world, user, now=NOW + WEEK).jobs == []
    assert trash(world, user, Retention(timedelta(), NOW - WEEK)).jobs == []
    assert trash(world, user, Retention(WEEK, NOW - timedelta(minutes=30))).total == 2


@pytest.mark.parametrize("is_late", [False, True])
def test_what_the_trash_lists_can_be_restored_until_the_time_that_it_tells(
    world: World, restores: Restores, user: str, is_late: bool
) -> None:
    if is_late:
        ids = late_jobs(world, user, 2, NOW)
    else:
        ids = deleted_jobs(world, user, 2)
        for job_id in ids:
            purge(world, user, job_id)
    until = trash(world, user).jobs[0].recoverable_until
    assert until
    just_before = until - timedelta(microseconds=1)
    assert {one.job.id for one in trash(world, user, now=just_before).jobs} == {*ids}
    assert request(restores, user, ids[0], just_before).state is RESTORING
    assert trash(world, user, now=until).jobs == []
    with pytest.raises(Gone):
        request(restores, user, ids[1], until)


def test_where_copies_are_kept_no_longer_than_a_restore_takes_the_trash_is_empty(
    world: World, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    purge(world, user, job_id)
    assert trash(world, user, Retention(MARGIN, NOW - WEEK)).total == 0
    assert trash(world, user, Retention(MARGIN + MINUTE, NOW - WEEK)).total == 1


def late_jobs(world: World, user: str, count: int, removed_at: datetime) -> list[str]:
    """Each was deleted two weeks before its files were removed. The first one was the last to be deleted."""
    ids = put_many(world, user, document, count)
    for number, job_id in enumerate(ids):
        world.deletions.mark(user, job_id, removed_at - 2 * WEEK - number * MINUTE)
        world.deletions.begin_purge(job_id, user, "late", removed_at)
        removed = BucketPurge(bucket="b", objects=1, size=2)
        world.deletions.end_purge(job_id, "late", [removed], removed_at + MINUTE, owner=user)
    return ids


def test_a_job_whose_purge_was_late_stays_in_the_trash_as_long_as_it_can_be_restored(
    world: World, restores: Restores, user: str
) -> None:
    ids = late_jobs(world, user, 2, NOW)
    late_jobs(world, f"{user}-2", 1, NOW)
    until = NOW + WEEK - MARGIN
    found = trash(world, user, now=until - MINUTE)
    assert [(one.job.id, one.recoverable_until) for one in found.jobs] == [(one, until) for one in ids]
    assert found.total == 2
    request(restores, user, ids[0], until - MINUTE)
    assert [one.job.id for one in trash(world, user, now=until - MINUTE).jobs] == ids[1:]
    assert trash(world, user, now=until).jobs == []


def test_a_job_of_which_nothing_could_be_removed_stays_in_the_trash(
    world: World, restores: Restores, user: str, job_id: str
) -> None:
    world.deletions.mark(user, job_id, NOW)
    later = NOW + 2 * WEEK
    assert trash(world, user, now=later).total == 0
    world.deletions.record_sweep(wish(restores, job_id), later - timedelta(hours=6))
    (found,) = trash(world, user, now=later).jobs
    assert (found.job.id, found.recoverable_until) == (job_id, later + WEEK - MARGIN)
    assert request(restores, user, job_id, later).state is RESTORING


def test_a_job_without_files_leaves_the_trash_as_one_with_files_does(world: World, user: str, job_id: str) -> None:
    world.deletions.mark(user, job_id, NOW)
    for at in (NOW, NOW + timedelta(hours=1)):
        world.deletions.begin_purge(job_id, user, f"run {at}", at)
        world.deletions.end_purge(
            job_id, f"run {at}", [BucketPurge(bucket="b", objects=0, size=0)], at, owner=user
        )
    (found,) = trash(world, user, now=NOW + timedelta(days=3)).jobs
    assert found.recoverable_until == NOW + WEEK - MARGIN
    assert trash(world, user, now=NOW + WEEK - MARGIN).jobs == []


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_pages_of_the_trash_hold_each_job_once(world: World, user: str, size: int) -> None:
    ids = deleted_jobs(world, user, 7) + late_jobs(world, user, 3, NOW - MINUTE)
    found: list[str] = []
    page = trash(world, user, page_size=size)
    number = 1
    while True:
        found += [one.job.id for one in page.jobs]
        by_number = trash(world, user, page_size=size, page=number)
        assert [one.job.id for one in by_number.jobs] == [one.job.id for one in page.jobs]
        assert (page.total, page.number) == (10, number)
        if page.next is None:
            break
        page, number = trash(world, user, page_size=size, after=page.next), number + 1
    assert found == ids
    assert trash(world, user, page_size=size, page=99).jobs == []


def test_what_is_restored_while_the_trash_is_paged_repeats_none_of_its_jobs(
    world: World, restores: Restores, user: str
) -> None:
    ids = deleted_jobs(world, user, 7) + late_jobs(world, user, 3, NOW - MINUTE)
    page = trash(world, user, page_size=2)
    for job_id in ids[3:7]:
        request(restores, user, job_id, NOW)
    found = [one.job.id for one in page.jobs]
    while page.next:
        page = trash(world, user, page_size=2, after=page.next)
        found += [one.job.id for one in page.jobs]
    assert found == ids[:3] + ids[7:]


def test_a_job_whose_document_is_gone_is_not_in_the_trash(world: World, restores: Restores, user: str) -> None:
    ids = deleted_jobs(world, user, 2)
    world.put(ids[0], {})
    assert [one.job.id for one in trash(world, user).jobs] == [ids[1]]
