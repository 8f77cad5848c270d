"""Views of share links. The same tests run on Firestore's emulator and on the in-memory fake."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud import firestore

from shared.sharing.short_links import new_short_id
from shared.sharing.views import SHARDS, Views
from tests.contract.worlds import World
from tests.jobs import document, fill, new_id, read


def test_views_are_moved_into_the_job_just_once(world: World, user: str, shared: tuple[str, str]) -> None:
    job_id, _ = shared
    for _ in range(25):
        world.views.add(job_id)
    assert world.read(job_id)["view_count"] == 3
    mine = [shard for shard in world.views.waiting(1000) if shard.startswith(job_id)]
    assert sum(world.views.move(shard) for shard in mine) == 25
    assert [world.views.move(shard) for shard in mine] == [0] * len(mine)
    assert world.read(job_id)["view_count"] == 28
    assert not [shard for shard in world.views.waiting(1000) if shard.startswith(job_id)]


def test_views_of_no_job_are_let_go(world: World) -> None:
    job_id = new_id()
    world.views.add(job_id)
    (shard,) = [shard for shard in world.views.waiting(1000) if shard.startswith(job_id)]
    assert world.views.move(shard) == 0
    assert not [shard for shard in world.views.waiting(1000) if shard.startswith(job_id)]


def test_views_of_a_job_that_is_full_wait_and_are_told(
    database: firestore.Client, caplog: pytest.LogCaptureFixture
) -> None:
    job_id, fields = new_id(), document("me")
    del fields["view_count"]
    fill(database, job_id, fields)
    views = Views(database)
    views.add(job_id)
    (shard,) = [shard for shard in views.waiting(1000) if shard.startswith(job_id)]
    assert views.move(shard) == 0
    assert shard in views.waiting(1000)
    assert [line.__dict__["fields"] for line in caplog.records] == [{"job_id": job_id}]
    for name, collection in ((job_id, "jobs"), (shard, "view_shards")):
        database.collection(collection).document(name).delete()


def test_no_view_is_lost_or_counted_twice_while_two_move_them(
    database: firestore.Client, shared_in_firestore: tuple[str, str]
) -> None:
    job_id, _ = shared_in_firestore
    views = Views(database)
    names = [f"{job_id}-{number}" for number in range(SHARDS)]
    looking = threading.Event()
    looking.set()

    def move() -> int:
        moved = 0
        while looking.is_set():
            moved += sum(map(views.move, names))
        return moved + sum(map(views.move, names))

    with ThreadPoolExecutor(6) as threads:
        movers = [threads.submit(move) for _ in range(2)]
        for added in [threads.submit(views.add, job_id) for _ in range(120)]:
            added.result()
        looking.clear()
        moved = sum(mover.result() for mover in movers)
    left = sum(map(views.move, names))
    assert read(database, job_id)["view_count"] == 3 + 120
    assert moved + left == 120


def test_with_more_shards_than_a_run_moves_each_has_its_turn(database: firestore.Client) -> None:
    shards = database.collection("view_shards")
    names = {f"{digit}{new_short_id(8)[1:]}-0" for digit in "0123456789abcdef"}
    for name in names:
        shards.document(name).set({"job_id": "no-such-job", "views": 1})
    views, seen = Views(database), set[str]()
    for _ in range(200):
        seen.update(views.waiting(4))
        if names <= seen:
            break
    assert names <= seen
    for name in names:
        views.move(name)


@pytest.mark.parametrize(
    "held", [{}, {"job_id": "x"}, {"job_id": "x", "views": "7"}, {"job_id": "a/b", "views": 7}]
)
def test_a_damaged_shard_is_let_go(database: firestore.Client, held: dict[str, Any]) -> None:
    name = f"{new_short_id(8)}-0"
    database.collection("view_shards").document(name).set(held)
    views = Views(database)
    assert views.move(name) == 0
    assert name not in set(views.waiting(1000))
