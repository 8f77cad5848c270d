"""The same tests on Firestore's emulator and on the in-memory fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from google.cloud import firestore

from shared.errors import NotFound
from shared.jobs.job import OTHER, JobStatus
from shared.jobs.pagination import ListQuery, decode_cursor, encode_cursor
from tests.contract.worlds import FirestoreWorld, World, put_many
from tests.jobs import NOW, deleted, document, new_id


def walk(world: World, query: ListQuery) -> Iterator[list[str]]:
    page = world.repository.page(query)
    yield [job.id for job in page.jobs]
    while page.next is not None:
        page = world.repository.page(replace(query, after=page.next))
        yield [job.id for job in page.jobs]


def test_a_job_is_given_to_its_owner_with_all_its_fields(world: World, user: str) -> None:
    job_id = new_id()
    world.put(
        job_id,
        document(user, short_id="25ca1d0f", status="failed", error_message="no person", credits_refunded=7.5),
    )
    job = world.repository.get(user, job_id)
    assert (job.id, job.user_id, job.short_id, job.status) == (job_id, user, "25ca1d0f", "failed")
    assert (job.error_message, job.credits_charged, job.completed_at) == ("no person", 10, NOW)
    assert job.credits_refunded == 7.5


@pytest.mark.parametrize("kind", ["unknown", "foreign", "deleted"])
def test_a_job_that_is_not_the_users_or_not_live_is_not_found(world: World, user: str, kind: str) -> None:
    job_id = new_id()
    if kind == "foreign":
        world.put(job_id, document("somebody-else"))
    if kind == "deleted":
        world.put(job_id, deleted(user))
    with pytest.raises(NotFound):
        world.repository.get(user, job_id)


def test_a_job_whose_deleted_at_is_null_is_live(world: World, user: str) -> None:
    job_id = new_id()
    world.put(job_id, document(user, deleted_at=None))
    assert world.repository.get(user, job_id).id == job_id
    page = world.repository.page(ListQuery(user_id=user))
    assert ([job.id for job in page.jobs], page.total) == ([job_id], 1)


def test_pages_come_newest_first_and_end_exactly_where_the_jobs_do(world: World, user: str) -> None:
    ids = put_many(world, user, document, 6)
    assert list(walk(world, ListQuery(user_id=user, page_size=3))) == [ids[:3], ids[3:]]


def test_jobs_of_the_same_time_are_ordered_by_id_and_none_is_lost_between_pages(world: World, user: str) -> None:
    ids = [new_id() for _ in range(5)]
    for job_id in ids:
        world.put(job_id, document(user, created_at=NOW))
    pages = list(walk(world, ListQuery(user_id=user, page_size=2)))
    assert [job_id for page in pages for job_id in page] == sorted(ids, reverse=True)


def test_deleted_jobs_are_passed_over_and_not_counted(world: World, user: str) -> None:
    live: list[str] = []
    for _ in range(4):
        live += put_many(world, user, document, 2)
        put_many(world, user, deleted, 3)
    pages = list(walk(world, ListQuery(user_id=user, page_size=4)))
    assert pages == [live[:4], live[4:]]
    assert world.repository.page(ListQuery(user_id=user)).total == 8


def test_a_page_by_number_is_the_same_as_by_cursor_with_deleted_jobs_between(world: World, user: str) -> None:
    live: list[str] = []
    for _ in range(3):
        put_many(world, user, deleted, 2)
        live += put_many(world, user, document, 3)
    by_number = [
        world.repository.page(ListQuery(user_id=user, page_size=4, page=number)) for number in (1, 2, 3, 4)
    ]
    assert [[job.id for job in page.jobs] for page in by_number] == [live[:4], live[4:8], live[8:], []]
    assert {page.total for page in by_number} == {9}
    assert [page.next is None for page in by_number] == [False, False, True, True]


def test_a_page_tells_how_many_deleted_jobs_it_passed_over(user: str, database: firestore.Client) -> None:
    world = FirestoreWorld(database)
    put_many(world, user, deleted, 3)
    live = put_many(world, user, document, 1)
    put_many(world, user, deleted, 5)
    live += put_many(world, user, document, 1)
    first = ListQuery(user_id=user, page_size=1)

    def told(query: ListQuery) -> tuple[list[str], int]:
        passed: list[int] = []
        page = world.repository.page(query, passed.append)
        return [job.id for job in page.jobs], sum(passed)

    assert told(first) == (live[:1], 3)
    assert told(replace(first, after=world.repository.page(first).next)) == (live[1:], 5)
    assert told(replace(first, page=2)) == (live[1:], 8)


def test_a_numbered_page_goes_on_by_cursor(world: World, user: str) -> None:
    ids = put_many(world, user, document, 7)
    second = world.repository.page(ListQuery(user_id=user, page_size=2, page=2))
    third = world.repository.page(ListQuery(user_id=user, page_size=2, after=second.next))
    assert [job.id for job in third.jobs] == ids[4:6]
    assert third.number == 3


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [((JobStatus.FAILED,), 2), ((JobStatus.FAILED, JobStatus.QUEUED), 5), ((JobStatus.PENDING,), 0)],
)
def test_the_status_filter_holds_for_page_and_total(
    world: World, user: str, statuses: tuple[JobStatus, ...], expected: int
) -> None:
    for status, count in (("failed", 2), ("queued", 3), ("completed", 4)):
        for _ in range(count):
            world.put(new_id(), document(user, status=status))
        world.put(new_id(), deleted(user, status=status))
    page = world.repository.page(ListQuery(user_id=user, statuses=statuses))
    assert (len(page.jobs), page.total) == (expected, expected)
    assert {job.status for job in page.jobs} <= set(statuses)


ODD_STATUSES: tuple[object, ...] = ("watermarking", "other", "Completed", "", None, 7, ["completed"])


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
def test_jobs_of_other_statuses_can_be_filtered_by_wherever_they_are(
    world: World, user: str, page_size: int
) -> None:
    others = []
    for status in ODD_STATUSES:
        put_many(world, user, document, 2)
        others.append(new_id())
        world.put(others[-1], document(user, status=status))
        world.put(new_id(), deleted(user, status=status))
    fields = document(user)
    del fields["status"]
    others.append(new_id())
    world.put(others[-1], fields)
    put_many(world, user, document, 2)
    query = ListQuery(user_id=user, statuses=(OTHER,), page_size=page_size)
    assert [job_id for page in walk(world, query) for job_id in page] == others
    assert world.repository.page(query).total == len(others)
    numbered = [world.repository.page(replace(query, page=number)) for number in range(1, 10)]
    assert [job.id for page in numbered for job in page.jobs] == others
    assert [page.next is None for page in numbered] == [
        number * page_size >= len(others) for number in range(1, 10)
    ]
    chosen = world.repository.page(replace(query, ids=tuple(others)))
    assert [job.id for job in chosen.jobs] == others


def test_other_statuses_can_be_filtered_by_together_with_known_ones(world: World, user: str) -> None:
    ids = {}
    for status in ("watermarking", "failed", "completed", "queued"):
        ids[status] = new_id()
        world.put(ids[status], document(user, status=status))
    page = world.repository.page(ListQuery(user_id=user, statuses=(JobStatus.FAILED, OTHER)))
    assert ([job.id for job in page.jobs], page.total) == ([ids["watermarking"], ids["failed"]], 2)


def test_a_job_that_has_left_the_other_statuses_meanwhile_hides_none_of_those_behind_it(
    world: World, user: str
) -> None:
    ids = [new_id() for _ in range(4)]
    for job_id in ids:
        world.put(job_id, document(user, status="watermarking"))
    query = ListQuery(user_id=user, statuses=(OTHER,), page_size=2)
    first = world.repository.page(query)
    for job_id in ids[:2]:
        world.put(job_id, {**world.read(job_id), "status": "completed"})
    second = world.repository.page(replace(query, after=first.next, page_size=1))
    third = world.repository.page(replace(query, after=second.next, page_size=1))
    assert [[job.id for job in page.jobs] for page in (first, second, third)] == [ids[:2], ids[2:3], ids[3:]]
    assert third.next is None


@pytest.mark.parametrize("id_prefix", [None, "job"], ids=["list", "search"])
@pytest.mark.parametrize("page_size", [1, 2, 20])
def test_a_document_with_an_id_that_no_job_can_have_is_passed_over(
    world: World, user: str, page_size: int, id_prefix: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    unique = new_id()
    sound = [f"job{number}-{unique}" for number in range(3)]
    odd = [
        f"job.7{unique}",
        f"job 7{unique}",
        f"jöb{unique}",
        f"job{unique}".ljust(129, "x"),
        f"job~{unique}",
        "cost",
    ]
    for job_id in (odd[0], sound[0], odd[1], sound[1], *odd[2:], sound[2]):
        world.put(job_id, document(user))
    world.put(f"gone.{unique}", deleted(user))
    query = ListQuery(user_id=user, page_size=page_size, id_prefix=id_prefix)
    shown: list[str] = []
    while True:
        caplog.clear()
        page = world.repository.page(query)
        assert sum(record.message == "job_ids_unusable" for record in caplog.records) <= 1
        shown += [job.id for job in page.jobs]
        if page.next is None:
            break
        cursor = encode_cursor(page.next, query)
        query = replace(query, after=decode_cursor(cursor, query))
    assert shown == sound
    for job_id in sound:
        assert world.repository.get(user, job_id).id == job_id
    for job_id in odd:
        with pytest.raises(NotFound):
            world.repository.get(user, job_id)
    assert by_id(world, user, odd) == []
    for job_id in sound:
        world.deletions.mark(user, job_id, NOW)


def test_free_texts_are_cut_in_lists_and_whole_in_a_job(world: World, user: str) -> None:
    texts = {"extension_prompt": "a" * 2_001, "error_message": "b" * 5_000}
    job_id = new_id()
    world.put(job_id, document(user, **texts))
    lists = (
        world.repository.page(ListQuery(user_id=user)).jobs,
        world.repository.page(ListQuery(user_id=user, id_prefix=job_id)).jobs,
        world.repository.page(ListQuery(user_id=user, ids=(job_id,))).jobs,
    )
    for (job,) in lists:
        assert (job.extension_prompt, job.error_message) == ("a" * 1_999 + "…", "b" * 1_999 + "…")
    whole = world.repository.get(user, job_id)
    assert (whole.extension_prompt, whole.error_message) == tuple(texts.values())


def test_another_users_jobs_are_neither_shown_nor_counted(world: World, user: str) -> None:
    put_many(world, "somebody-else", document, 3)
    page = world.repository.page(ListQuery(user_id=user))
    assert (page.jobs, page.total, page.next) == ([], 0, None)


def test_a_damaged_job_is_shown_as_far_as_it_can_be(world: World, user: str) -> None:
    damaged, sound = new_id(), new_id()
    odd = {
        "status": "teleporting",
        "seed": "seven",
        "updated_at": "yesterday",
        "credits_charged": float("nan"),
        "credits_refunded": "all",
    }
    world.put(damaged, document(user, **odd, view_count=None, resolution=["720p"]))
    world.put(sound, document(user))
    page = world.repository.page(ListQuery(user_id=user))
    assert [job.id for job in page.jobs] == [damaged, sound]
    job = page.jobs[0]
    assert (job.status, job.seed, job.updated_at, job.credits_charged) == ("teleporting", None, None, None)
    assert (job.view_count, job.resolution, job.credits_refunded) == (0, None, None)


def test_jobs_by_id_are_the_users_live_ones_newest_first(world: World, user: str) -> None:
    ids = put_many(world, user, document, 3)
    (gone,) = put_many(world, user, deleted, 1)
    (foreign,) = put_many(world, "somebody-else", document, 1)
    asked = [gone, ids[2], new_id(), ids[0], foreign]
    assert by_id(world, user, asked) == [ids[0], ids[2]]
    assert by_id(world, user, []) == []


def by_id(world: World, user: str, job_ids: list[str]) -> list[str]:
    page = world.repository.page(ListQuery(user_id=user, ids=tuple(job_ids)))
    assert page.total == len(page.jobs) == len(page.versions or ())
    return [job.id for job in page.jobs]


def test_jobs_by_id_are_all_on_the_first_page(world: World, user: str) -> None:
    ids = put_many(world, user, document, 3)
    query = ListQuery(user_id=user, ids=tuple(ids), page_size=1)
    pages = [world.repository.page(replace(query, page=number)) for number in (1, 2, 3)]
    assert [[job.id for job in page.jobs] for page in pages] == [ids, [], []]
    assert [(page.number, page.total, page.next) for page in pages] == [(1, 3, None), (2, 3, None), (3, 3, None)]


def test_the_versions_of_jobs_by_id_change_with_each_of_them_and_with_nothing_else(
    world: World, user: str
) -> None:
    ids = put_many(world, user, document, 3)
    query = ListQuery(user_id=user, ids=tuple(ids))
    before = world.repository.page(query).versions
    put_many(world, user, document, 1)
    assert world.repository.page(replace(query, ids=tuple(reversed(ids)))).versions == before
    world.put(ids[1], document(user, status="failed"))
    after = world.repository.page(query).versions
    assert after != before
    world.deletions.mark(user, ids[0], NOW)
    assert world.repository.page(query).versions not in (before, after)


def put_at(world: World, user: str, ids: list[str], make: Callable[..., dict[str, Any]] = document) -> None:
    for job_id in ids:
        world.put(job_id, make(user))


def test_a_search_finds_what_begins_so_in_the_order_of_the_ids(world: World, user: str) -> None:
    begin = new_id()
    ends = ["", "-", "-9", "0", "A", "Z", "_", "__", "a", "az", "z" * (128 - len(begin))]
    put_at(world, user, [begin + end for end in reversed(ends)])
    put_at(world, user, [begin[:-1], begin[:-1] + "~", begin[:-1] + "-", "0" + begin, new_id()])
    page = world.repository.page(ListQuery(user_id=user, id_prefix=begin))
    assert ([job.id for job in page.jobs], page.total, page.next) == (
        [begin + end for end in ends],
        len(ends),
        None,
    )


def test_a_whole_id_finds_its_job_and_those_that_it_begins(world: World, user: str) -> None:
    alone, longest = new_id(), new_id() * 4
    put_at(world, user, [alone, longest])
    for job_id in (alone, longest):
        page = world.repository.page(ListQuery(user_id=user, id_prefix=job_id))
        assert ([job.id for job in page.jobs], page.total) == ([job_id], 1)


def test_a_search_passes_over_deleted_jobs_and_counts_only_live_ones(world: World, user: str) -> None:
    begin = new_id()
    live = [f"{begin}-{number}" for number in range(1, 20, 2)]
    gone = [f"{begin}-{number}" for number in range(0, 20, 2)]
    put_at(world, user, live)
    put_at(world, user, gone, deleted)
    put_many(world, user, deleted, 3)
    world.put(live[0], document(user, deleted_at=None))
    query = ListQuery(user_id=user, id_prefix=begin, page_size=4)
    live.sort()
    assert list(walk(world, query)) == [live[:4], live[4:8], live[8:]]
    by_number = [world.repository.page(replace(query, page=number)) for number in (1, 2, 3, 4)]
    assert [[job.id for job in page.jobs] for page in by_number] == [live[:4], live[4:8], live[8:], []]
    assert {page.total for page in by_number} == {10}


def test_a_search_finds_no_job_of_another_user(world: World, user: str) -> None:
    begin = new_id()
    put_at(world, "somebody-else", [f"{begin}-1"])
    put_at(world, "somebody-else", [f"{begin}-2"], deleted)
    page = world.repository.page(ListQuery(user_id=user, id_prefix=begin))
    assert (page.jobs, page.total, page.next) == ([], 0, None)


def test_a_search_finds_jobs_without_a_time_in_their_place(world: World, user: str) -> None:
    begin = new_id()
    ids = [f"{begin}-{number}" for number in range(4)]
    put_at(world, user, ids)
    for job_id, make in ((ids[1], document), (ids[2], deleted)):
        fields = make(user)
        del fields["created_at"]
        world.put(job_id, fields)
    query = ListQuery(user_id=user, id_prefix=begin, page_size=2)
    assert list(walk(world, query)) == [ids[:2], ids[3:]]
    assert world.repository.page(query).total == 3


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        ({}, 10),
        ({"page": 2, "page_size": 3}, 10),
        ({"statuses": (JobStatus.FAILED,)}, 2),
        ({"statuses": (JobStatus.FAILED, JobStatus.QUEUED), "page": 2, "page_size": 3}, 5),
        ({"statuses": (OTHER,)}, 1),
        ({"statuses": (JobStatus.QUEUED, OTHER), "page": 2, "page_size": 3}, 4),
        ({"ids": ("nobodys",)}, 0),
        ({"id_prefix": "nobodys"}, 0),
    ],
)
def test_counts_are_of_all_the_users_live_jobs_whatever_else_is_asked_for(
    world: World, user: str, asked: dict[str, Any], total: int
) -> None:
    for status, count in (("failed", 2), ("queued", 3), ("completed", 4), ("teleporting", 1)):
        for _ in range(count):
            world.put(new_id(), document(user, status=status))
        world.put(new_id(), deleted(user, status=status))
        put_many(world, "somebody-else", document, 1)
    page = world.repository.page(ListQuery(user_id=user, with_counts=True, **asked))
    assert page.counts == {
        "all": 10,
        "pending": 0,
        "queued": 3,
        "processing": 0,
        "completed": 4,
        "failed": 2,
        "other": 1,
    }
    assert page.total == total
    assert world.repository.page(ListQuery(user_id=user, **asked)).counts is None


def test_a_job_without_a_time_is_neither_listed_nor_counted_but_had_by_its_id(world: World, user: str) -> None:
    (sound,) = put_many(world, user, document, 1)
    timeless = new_id()
    fields = document(user)
    del fields["created_at"]
    world.put(timeless, fields)
    page = world.repository.page(ListQuery(user_id=user))
    assert ([job.id for job in page.jobs], page.total, page.next) == ([sound], 1, None)
    assert world.repository.get(user, timeless).created_at is None
    assert by_id(world, user, [timeless, sound]) == [sound, timeless]
