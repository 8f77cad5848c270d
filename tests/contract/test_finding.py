"""Filters, order, names and searches for names, on Firestore's emulator and on the in-memory fake."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import NotFound, NotShared
from shared.jobs.job import JOB_TYPES, OTHER, JobPrefix, JobStatus, status_group
from shared.jobs.names import folded
from shared.jobs.pagination import ListQuery, decode_cursor, encode_cursor
from shared.sharing.short_links import new_short_id
from tests.contract.worlds import World
from tests.jobs import NOW, deleted, document, new_id

HOUR = timedelta(hours=1)
FILTERS: dict[str, dict[str, Any]] = {
    "oldest first": {"oldest_first": True},
    "a type": {"types": ("foley",)},
    "types": {"types": ("foley", "animate"), "oldest_first": True},
    "since": {"created_after": NOW - 5 * HOUR},
    "until": {"created_before": NOW - 5 * HOUR, "oldest_first": True},
    "between": {"created_after": NOW - 7 * HOUR, "created_before": NOW - 2 * HOUR},
    "statuses and types": {"statuses": ("failed", "queued"), "types": ("foley", "upscale")},
    "all of them": {
        "statuses": tuple(JobStatus),
        "types": JOB_TYPES,
        "created_after": NOW - 8 * HOUR,
        "created_before": NOW,
        "oldest_first": True,
    },
    "other statuses": {"statuses": (OTHER,), "types": ("foley", "animate"), "created_after": NOW - 8 * HOUR},
    "other and known": {"statuses": ("failed", OTHER), "created_before": NOW - HOUR, "oldest_first": True},
    "no time at all": {"created_after": NOW - 5 * HOUR, "created_before": NOW - 5 * HOUR},
    "none": {"types": ("watermark",), "created_after": NOW + HOUR},
}


def pages(world: World, query: ListQuery) -> Iterator[list[str]]:
    while True:
        page = world.repository.page(query)
        yield [job.id for job in page.jobs]
        if page.next is None:
            return
        query = replace(query, after=decode_cursor(encode_cursor(page.next, query), query))


def fill(world: World, user: str) -> dict[str, dict[str, Any]]:
    """The user's live jobs, among deleted ones and another user's. Several were made at the same time."""
    dice = random.Random(7)
    live = {}
    for _ in range(60):
        fields = {
            "status": dice.choice([*JobStatus, "watermarking", "", None]),
            "job_type": dice.choice([*JOB_TYPES, "morph", None, 7]),
            "created_at": NOW - dice.randrange(10) * HOUR,
        }
        job_id = new_id()
        if dice.random() < 0.3:
            world.put(job_id, deleted(user, **fields))
        else:
            live[job_id] = document(user, **fields)
            world.put(job_id, live[job_id])
    world.put(new_id(), document("somebody-else"))
    return live


def expected(live: dict[str, dict[str, Any]], query: ListQuery) -> list[str]:
    found = [
        (fields["created_at"], job_id)
        for job_id, fields in live.items()
        if (not query.statuses or status_group(fields["status"]) in query.statuses)
        and (not query.types or fields["job_type"] in query.types)
        and (query.created_after is None or fields["created_at"] >= query.created_after)
        and (query.created_before is None or fields["created_at"] < query.created_before)
    ]
    return [job_id for _, job_id in sorted(found, reverse=not query.oldest_first)]


def test_filters_hold_together_for_every_page_and_the_total(world: World, user: str) -> None:
    live = fill(world, user)
    for name, options in FILTERS.items():
        query = ListQuery(user_id=user, page_size=4, **options)
        wanted = expected(live, query)
        assert [job_id for page in pages(world, query) for job_id in page] == wanted, name
        assert world.repository.page(query).total == len(wanted), name
        second = world.repository.page(replace(query, page=2))
        assert ([job.id for job in second.jobs], second.total) == (wanted[4:8], len(wanted)), name
    counts = world.repository.page(ListQuery(user_id=user, types=("foley",), with_counts=True)).counts
    assert counts is not None
    assert counts["all"] == len(live)


def test_a_time_that_is_not_one_is_in_no_span(world: World, user: str) -> None:
    sound = new_id()
    world.put(sound, document(user, created_at=NOW))
    fields = document(user)
    del fields["created_at"]
    world.put(new_id(), fields)
    spans: list[dict[str, Any]] = [{"created_after": NOW}, {"created_before": NOW + HOUR}]
    for span in spans:
        page = world.repository.page(ListQuery(user_id=user, **span))
        assert ([job.id for job in page.jobs], page.total) == ([sound], 1)


NAMES = ["cat", "Cat", "CATS", "cat 😀", "cat \ufffd", "cät", "category", "Dog", "ca", "日本", "한글"]


def put_named(world: World, user: str, names: list[str]) -> dict[str, str]:
    """The names of new jobs by their ids."""
    ids = {new_id(): name for name in names}
    for job_id, name in ids.items():
        world.put(job_id, document(user))
        world.renaming.rename(user, job_id, name)
    return ids


def in_order(named: dict[str, str], prefix: str) -> list[str]:
    found = [(folded(name).encode(), job_id) for job_id, name in named.items() if folded(name).startswith(prefix)]
    return [job_id for _, job_id in sorted(found)]


@pytest.mark.parametrize(("prefix", "found"), [("cat", 6), ("ca", 8), ("cat ", 2), ("d", 1), ("하", 1), ("x", 0)])
def test_names_are_found_by_their_beginning_in_their_order_page_by_page(
    world: World, user: str, prefix: str, found: int
) -> None:
    named = put_named(world, user, NAMES)
    for job_id in put_named(world, user, ["cat", "cat 2"]):
        world.deletions.mark(user, job_id, NOW)
    put_named(world, "somebody-else", ["cat"])
    world.put(new_id(), document(user))
    wanted = in_order(named, folded(prefix))
    assert len(wanted) == found
    for size in (1, 3, 20):
        query = ListQuery(user_id=user, name_prefix=folded(prefix), page_size=size)
        assert [job_id for page in pages(world, query) for job_id in page] == wanted
        first = world.repository.page(query)
        assert (first.total, first.next is None) == (found, found <= size)
    numbered = world.repository.page(ListQuery(user_id=user, name_prefix=folded(prefix), page_size=2, page=2))
    assert [job.id for job in numbered.jobs] == wanted[2:4]


def test_a_job_without_a_time_is_found_by_its_name(world: World, user: str) -> None:
    job_id = new_id()
    fields = document(user)
    del fields["created_at"]
    world.put(job_id, fields)
    world.renaming.rename(user, job_id, "timeless")
    page = world.repository.page(ListQuery(user_id=user, name_prefix="time"))
    assert ([job.name for job in page.jobs], page.total) == (["timeless"], 1)


def test_a_job_that_is_renamed_between_two_pages_neither_hides_nor_repeats_another(
    world: World, user: str
) -> None:
    named = put_named(world, user, ["cat 1", "cat 2", "cat 3", "cat 4"])
    ids = in_order(named, "cat")
    query = ListQuery(user_id=user, name_prefix="cat", page_size=2)
    page = world.repository.page(query)
    assert page.next is not None
    world.renaming.rename(user, ids[1], "a name elsewhere")
    rest = world.repository.page(replace(query, after=page.next))
    assert ([job.id for job in rest.jobs], rest.next) == (ids[2:], None)


def test_a_name_is_given_changed_and_taken_away_and_nothing_else_changes(world: World, user: str) -> None:
    job_id = new_id()
    before = document(user, extension_prompt="And then?", updated_at=NOW - HOUR)
    world.put(job_id, before)
    for name in ("First try", "FIRST TRY", "Élan", "Élan", None, None):
        assert world.renaming.rename(user, job_id, name).name == name
        assert world.repository.get(user, job_id).name == name
        found = world.repository.page(ListQuery(user_id=user, name_prefix="first try"))
        assert found.total == (name is not None and name.lower() == "first try")
    assert world.read(job_id) == {**before, "name": None, "name_folded": None}


@pytest.mark.parametrize("kind", ["unknown", "foreign", "deleted", "impossible"])
def test_only_a_live_job_of_the_user_gets_a_name(world: World, user: str, kind: str) -> None:
    job_id = {"impossible": "cost"}.get(kind) or new_id()
    if kind != "unknown":
        make = deleted if kind == "deleted" else document
        world.put(job_id, make("somebody-else" if kind == "foreign" else user))
        before = world.read(job_id)
    with pytest.raises(NotFound):
        world.renaming.rename(user, job_id, "Mine")
    assert kind == "unknown" or world.read(job_id) == before


def test_a_name_that_another_writer_damaged_is_not_shown(world: World, user: str) -> None:
    for damaged in (7, "a" * 81, "line\nbreak"):
        job_id = new_id()
        world.put(job_id, document(user, name=damaged))
        assert world.repository.get(user, job_id).name is None


@pytest.mark.parametrize(
    ("dead", "met_by"),
    [
        ({"share_revoked_at": NOW}, "its owner"),
        ({"share_revoked_at": NOW}, "its output"),
        ({"share_expires_at": "soon"}, "its owner"),
    ],
)
def test_a_short_id_that_shows_nothing_is_listed_without_a_link_until_somebody_meets_it(
    world: World, user: str, dead: dict[str, Any], met_by: str
) -> None:
    job_id = new_id()
    world.put(job_id, document(user, short_id=new_short_id(8), **dead))
    shared = ListQuery(user_id=user, shared=True)
    page = world.repository.page(shared)
    assert ([(job.id, job.short_id) for job in page.jobs], page.total) == ([(job_id, None)], 1)
    if met_by == "its owner":
        with pytest.raises(NotShared):
            world.shares.change(user, job_id, NOW, {"share_name": True})
    else:
        world.completions.complete(JobPrefix(user, job_id), f"{user}/{job_id}/output.mp4", NOW)
    page = world.repository.page(shared)
    assert (page.jobs, page.total) == ([], 0)
    assert world.read(job_id)["short_id"] is None


def test_the_shared_jobs_are_one_list(world: World, user: str) -> None:
    live = []
    for number in range(30):
        made = {"short_id": f"{number:08x}", "created_at": NOW - (number // 3) * HOUR}
        job_id = new_id()
        match number % 5:
            case 0:
                world.put(job_id, deleted(user, **made))
            case 1:
                world.put(job_id, document(user, **{**made, "short_id": None}))
            case 2:
                unshared = document(user, **made)
                del unshared["short_id"]
                world.put(job_id, unshared)
            case _:
                world.put(job_id, document(user, **made))
                live.append((made["created_at"], made["short_id"], job_id))
    world.put(new_id(), document("somebody-else", short_id="ffffffff"))
    newest = [job_id for *_, job_id in sorted(live, reverse=True)]
    query = ListQuery(user_id=user, shared=True, page_size=5)
    found = list(pages(world, query))
    assert [job_id for page in found for job_id in page] == newest
    assert [len(page) for page in found] == [5, 5, 2]
    assert world.repository.page(query).total == 12
    ended = world.repository.page(query)
    assert ended.next is not None
    world.shares.revoke(user, newest[4], NOW)
    after = world.repository.page(replace(query, after=ended.next))
    assert [job.id for job in after.jobs] == newest[5:10], "the place is found although its link has ended"
