"""Jobs that have been without a change for a day. The same tests run on Firestore's emulator and on the fake."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from shared.jobs.stalled import FIRST_LOOK_BACK, Stalled
from tests.contract.worlds import FirestoreWorld, MemoryWorld, World
from tests.jobs import NOW, document, new_id

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
USER = "ann"


@pytest.fixture(params=["memory", pytest.param("firestore", marks=pytest.mark.stack)])
def world(request: pytest.FixtureRequest) -> World:
    """Without other tests' jobs, because what is asked is about the jobs of all users."""
    if request.param == "memory":
        return MemoryWorld()
    request.getfixturevalue("stack")
    return FirestoreWorld(firestore.Client(project=f"stalled-{new_id()[:20]}"))


def put(world: World, since: datetime, status: object = "processing", **changes: Any) -> str:
    job_id = new_id()
    world.put(job_id, document(USER, status=status, updated_at=since, **changes))
    return job_id


def tell(world: World, now: datetime = NOW, limit: int = 100) -> list[str]:
    """What a sweep at that time tells."""
    stalled = world.stalled.untold(now, limit)
    world.stalled.record(stalled)
    return [job.job_id for job in stalled.jobs]


def test_a_job_in_progress_is_told_once_after_a_day_without_a_change(world: World) -> None:
    job = put(world, NOW - DAY)
    assert tell(world, NOW - MINUTE) == []
    assert [tell(world, NOW + minutes * MINUTE) for minutes in (0, 0, 1, 90, 24 * 60)] == [[job], [], [], [], []]


def test_a_job_that_moved_on_and_stalled_again_is_told_again(world: World) -> None:
    job = put(world, NOW - DAY)
    assert tell(world) == [job]
    world.put(job, document(USER, status="processing", updated_at=NOW + HOUR))
    assert tell(world, NOW + HOUR) == []
    assert tell(world, NOW + DAY + HOUR) == [job]


def test_every_status_that_is_not_final_may_stall(world: World) -> None:
    jobs = [
        put(world, NOW - DAY - minutes * MINUTE, status)
        for minutes, status in enumerate(["pending", "queued", "processing", "watermarking"])
    ]
    for status in ("completed", "failed", None):
        put(world, NOW - DAY - HOUR, status)
    put(world, NOW - DAY - HOUR, deleted_at=NOW)
    assert tell(world) == jobs[::-1]


def test_what_a_job_is_told_with_is_its_status_and_its_last_change(world: World) -> None:
    put(world, NOW - DAY - HOUR, "queued")
    (job,) = world.stalled.untold(NOW, 100).jobs
    assert (job.status, job.updated_at) == ("queued", NOW - DAY - HOUR)


def test_many_that_were_changed_at_the_same_time_are_all_told_a_batch_at_a_time(world: World) -> None:
    jobs = {put(world, NOW - DAY, status) for status in ("queued", "processing", "queued", "queued", "queued")}
    told = [tell(world, NOW + minutes * MINUTE, limit=2) for minutes in range(4)]
    assert [len(some) for some in told] == [2, 2, 1, 0]
    assert {job for some in told for job in some} == jobs


def test_what_was_not_recorded_is_told_again(world: World) -> None:
    job = put(world, NOW - DAY)
    for _ in range(2):
        assert [one.job_id for one in world.stalled.untold(NOW, 100).jobs] == [job]


def test_sweeps_that_did_not_run_leave_nothing_out(world: World) -> None:
    assert tell(world) == []
    jobs = [put(world, NOW - DAY + minutes * MINUTE) for minutes in (1, 50, 170)]
    assert tell(world, NOW + 3 * HOUR) == jobs


def test_the_first_sweep_of_all_looks_a_week_back(world: World) -> None:
    put(world, NOW - DAY - FIRST_LOOK_BACK)
    late = put(world, NOW - DAY - FIRST_LOOK_BACK + MINUTE)
    assert tell(world) == [late]


def test_a_sweep_that_finds_nothing_writes_once_in_an_hour(world: World) -> None:
    def moves(now: datetime) -> bool:
        stalled = world.stalled.untold(now, 100)
        world.stalled.record(stalled)
        return stalled.move_to is not None

    assert [moves(NOW + minutes * MINUTE) for minutes in (0, 1, 59, 60, 61, 120, 122)] == [
        *(True, False, False, False),
        *(True, False, True),
    ]
    world.stalled.record(Stalled([], None))
