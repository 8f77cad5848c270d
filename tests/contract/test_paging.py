"""Walking through the pages while jobs come and go."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from google.cloud import firestore

from shared.jobs.pagination import ListQuery, decode_cursor, encode_cursor
from tests.contract.worlds import FirestoreWorld, World
from tests.jobs import NOW, deleted, document, new_id


@pytest.mark.parametrize("id_prefix", [None, "walk-"], ids=["list", "search"])
@pytest.mark.parametrize("seed", range(12))
def test_a_job_that_was_there_throughout_is_on_exactly_one_page(
    world: World, user: str, seed: int, id_prefix: str | None
) -> None:
    dice = random.Random(seed)
    # Few different times, so that many jobs differ only by their ids.
    times = [document(user)["created_at"] for _ in range(8)]

    def insert() -> str:
        job_id = f"walk-{new_id()}"
        world.put(job_id, document(user, created_at=dice.choice(times)))
        return job_id

    for _ in range(dice.randrange(8)):
        world.put(f"walk-{new_id()}", deleted(user, created_at=dice.choice(times)))
    present = {insert() for _ in range(30)}
    throughout = set(present)
    query = ListQuery(user_id=user, id_prefix=id_prefix, page_size=dice.choice([3, 4, 7, 10, 15]))
    shown: list[str] = []
    while True:
        page = world.repository.page(query)
        shown += [job.id for job in page.jobs]
        if page.next is None:
            break
        for _ in range(dice.randrange(3)):
            present.add(insert())
        for gone in dice.sample(sorted(present), k=dice.randrange(4)):
            present.discard(gone)
            throughout.discard(gone)
            world.deletions.mark(user, gone, NOW)
        cursor = encode_cursor(page.next, query)
        query = replace(query, after=decode_cursor(cursor, query))
    assert len(shown) == len(set(shown)), "a job was shown twice"
    assert throughout <= set(shown), "a job was skipped"


def test_jobs_deleted_behind_the_walk_do_not_end_it_early(world: World, user: str) -> None:
    ids = [new_id() for _ in range(6)]
    for job_id in ids:
        world.put(job_id, document(user))
    first = world.repository.page(ListQuery(user_id=user, page_size=2))
    for job_id in ids[:2]:
        world.deletions.mark(user, job_id, NOW)
    second = world.repository.page(ListQuery(user_id=user, page_size=2, after=first.next))
    assert ([job.id for job in second.jobs], second.total) == (ids[2:4], 6), (
        "the total of the list that the cursor was made for"
    )
    third = world.repository.page(ListQuery(user_id=user, page_size=2, after=second.next))
    assert ([job.id for job in third.jobs], third.next) == (ids[4:], None)


@pytest.mark.parametrize("live", [3, 4])
def test_a_job_that_is_restored_behind_the_walk_is_shown_although_the_cursor_counted_it_as_deleted(
    world: World, user: str, live: int
) -> None:
    """So a cursor's total does not tell that nothing live follows, and a last page reads what does."""
    ids = [new_id() for _ in range(live)]
    for job_id in ids:
        world.put(job_id, document(user))
    world.put(new_id(), deleted(user))
    restored, fields = new_id(), document(user)
    world.put(restored, {**fields, "deleted_at": NOW})
    page = world.repository.page(ListQuery(user_id=user, page_size=2))
    shown = [job.id for job in page.jobs]
    world.put(restored, fields)
    while page.next:
        page = world.repository.page(ListQuery(user_id=user, page_size=2, after=page.next))
        shown += [job.id for job in page.jobs]
    assert (shown, page.total) == ([*ids, restored], live)


def test_deleted_jobs_after_the_last_live_one_make_no_empty_page(world: World, user: str) -> None:
    live = [new_id() for _ in range(4)]
    for job_id in live:
        world.put(job_id, document(user))
    for _ in range(5):
        world.put(new_id(), deleted(user))
    page = world.repository.page(ListQuery(user_id=user, page_size=4))
    assert ([job.id for job in page.jobs], page.next) == (live, None)


def test_a_page_that_ends_at_a_job_without_a_sound_time_goes_on_after_it(
    user: str, database: firestore.Client
) -> None:
    world = FirestoreWorld(database)
    odd, first, second = new_id(), new_id(), new_id()
    world.put(odd, document(user, created_at="yesterday"))  # Firestore sorts text after times
    world.put(first, document(user))
    world.put(second, document(user))
    page = world.repository.page(ListQuery(user_id=user, page_size=1))
    assert ([job.id for job in page.jobs], page.total) == ([odd], 3)
    assert page.next is not None
    assert page.next.created_at is None
    rest = world.repository.page(ListQuery(user_id=user, page_size=2, after=page.next))
    assert ([job.id for job in rest.jobs], rest.next) == ([first, second], None)


def test_the_shared_jobs_behind_one_whose_short_id_is_too_long_for_a_cursor_are_reached(
    world: World, user: str
) -> None:
    short_ids = ["a" * 700, "b" * 1_024, '"' * 600, "\n" * 200, "c" * 5_000, "25ca1d0f"]
    jobs = {new_id(): document(user, short_id=short_id) for short_id in short_ids}
    for job_id, fields in jobs.items():
        world.put(job_id, fields)
    query = ListQuery(user_id=user, shared=True, page_size=1)
    page = world.repository.page(query)
    shown = [job.id for job in page.jobs]
    while page.next:
        cursor = encode_cursor(page.next, query)
        page = world.repository.page(replace(query, after=decode_cursor(cursor, query)))
        shown += [job.id for job in page.jobs]
    assert (shown, page.total) == ([*jobs], 6)


def test_two_shared_jobs_of_one_time_whose_short_ids_are_too_long_for_a_cursor_are_both_shown(
    world: World, user: str
) -> None:
    first, second = new_id(), new_id()
    at = document(user)["created_at"]
    world.put(first, document(user, created_at=at, short_id="a" * 700 + "2"))
    world.put(second, document(user, created_at=at, short_id="a" * 700 + "1"))
    query = ListQuery(user_id=user, shared=True, page_size=1)
    page = world.repository.page(query)
    assert page.next is not None
    rest = world.repository.page(replace(query, after=decode_cursor(encode_cursor(page.next, query), query)))
    assert [[job.id for job in one.jobs] for one in (page, rest)] == [[first], [second]]
