"""A walk through a user's jobs: how much it requests, and how little memory it takes."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from google.api_core.exceptions import ServiceUnavailable
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.pagination import ListQuery
from shared.jobs.reading import Document
from shared.jobs.walk import Walk
from tests.jobs import NOW

MEGABYTE = 2**20


@dataclass(frozen=True)
class Read:
    """In place of a document's message."""

    id: str
    values: dict[str, Any]
    version: int = 0

    def get(self, field: str) -> Any:
        return self.values.get(field)

    def fields(self) -> dict[str, Any]:
        return self.values


@dataclass
class Cost:
    requests: int = 0
    documents: int = 0
    whole: int = 0
    """Those of which more was read than whether they are deleted."""


@dataclass(frozen=True)
class Documents:
    """Replaces a query for live and deleted jobs in this order. Records what it costs."""

    live: Sequence[bool]
    size: int = 0
    """Characters in each job's text."""
    cost: Cost = field(default_factory=Cost)

    def read(self, limit: int, after: Document | None, fields: Sequence[str]) -> Iterator[Document]:
        """The whole batch is charged, even if its reader stops early."""
        start = 0 if after is None else int(after.id) + 1
        batch = range(start, min(start + limit, len(self.live)))
        self.cost.requests += 1
        self.cost.documents += len(batch)
        self.cost.whole += len(batch) if "extension_prompt" in fields else 0
        for number in batch:
            time = NOW - timedelta(seconds=number)
            text = chr(97 + number % 26) * self.size
            deleted_at = None if self.live[number] else NOW
            values = {"user_id": "me", "created_at": time, "extension_prompt": text, "deleted_at": deleted_at}
            yield cast(Document, Read(str(number), {**values, "status": "completed"}))


def walk_through(documents: Documents) -> Walk:
    return Walk(documents.read, ListQuery(user_id="me"))


@pytest.mark.parametrize("gone", [100, 2_900, 20_000])
@pytest.mark.parametrize(("before", "behind"), [(20, 0), (0, 20), (19, 5), (10, 10), (19, 1)])
def test_deleted_jobs_cost_the_logarithm_of_their_number_and_then_one_request_for_3000(
    before: int, gone: int, behind: int
) -> None:
    documents = Documents([True] * before + [False] * gone + [True] * behind)
    walk = walk_through(documents)
    assert len(walk.take(20)) == 20
    assert walk.has_more() == (before + behind > 20)
    read_again = gone >= 300
    most = 2 + math.ceil(math.log2(min(gone, 3_000))) + gone // 3_000 + read_again
    assert documents.cost.requests <= most
    assert documents.cost.documents <= 2 * (before + gone + behind)


def test_behind_many_deleted_jobs_just_those_that_are_wanted_are_read_whole() -> None:
    documents = Documents([False] * 10_000 + [True] * 20)
    passed: list[int] = []
    walk = Walk(documents.read, ListQuery(user_id="me"), passed=passed.append)
    assert [job.id for job in walk.take(20)] == [str(number) for number in range(10_000, 10_020)]
    assert sum(passed) == 10_000
    assert documents.cost.requests <= 16
    assert documents.cost.whole <= 700


def test_what_was_skipped_is_told_also_where_a_read_fails() -> None:
    documents = Documents([False] * 100)

    def read(limit: int, after: Document | None, fields: Sequence[str]) -> Iterator[Document]:
        for document in documents.read(limit, after, fields):
            if document.id == "50":
                raise ServiceUnavailable("Firestore")
            yield document

    passed: list[int] = []
    with pytest.raises(ServiceUnavailable):
        Walk(read, ListQuery(user_id="me"), passed=passed.append).take(20)
    assert sum(passed) == 50


def test_nothing_is_read_behind_the_last_wanted_job_once_their_number_is_known() -> None:
    documents = Documents([False] * 30 + [True] * 3 + [False] * 10_000)
    walk = Walk(documents.read, ListQuery(user_id="me"), lambda: 3)
    assert len(walk.take(20)) == 3
    assert not walk.exhausted
    assert documents.cost.documents == 20 + 20
    assert walk.take(20) == []


def test_a_number_that_is_too_large_costs_a_look_to_the_end_and_no_job() -> None:
    walk = Walk(Documents([True, False] * 40).read, ListQuery(user_id="me"), lambda: 50)
    assert len(walk.take(60)) == 40
    assert walk.exhausted


def test_the_number_is_not_asked_for_where_nothing_is_skipped() -> None:
    def never() -> int:
        raise AssertionError("asked for")

    walk = Walk(Documents([True] * 50).read, ListQuery(user_id="me"), never)
    assert len(walk.take(20)) == 20


rows = st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=8).map(
    lambda runs: [is_live for is_live, length in runs for _ in range(length)]
)


@given(rows, st.integers(0, 30), st.integers(1, 100))
def test_a_walk_finds_what_is_there_and_reads_at_most_twice_what_it_has_to(
    live: list[bool], skipped: int, count: int
) -> None:
    places = [place for place, is_live in enumerate(live) if is_live]
    documents = Documents(live)
    walk = walk_through(documents)
    walk.skip(skipped)
    expected = places[skipped : skipped + count]
    assert [job.id for job in walk.take(count)] == [str(place) for place in expected]
    has_all = len(places) >= skipped + count
    if has_all:
        assert walk.last is not None
        last = (walk.last.id, walk.last.get("created_at"))
        assert last == (str(expected[-1]), NOW - timedelta(seconds=expected[-1]))
    needed = expected[-1] + 1 if has_all else len(live)
    assert documents.cost.documents <= 2 * needed
    assert walk.exhausted or has_all
    assert (not walk.exhausted and walk.has_more()) == (len(places) > skipped + count)


def test_a_page_of_live_jobs_is_one_request_for_just_these() -> None:
    documents = Documents([True] * 50)
    assert len(walk_through(documents).take(20)) == 20
    assert documents.cost == Cost(requests=1, documents=20, whole=20)


def test_long_texts_are_cut_as_they_come_so_that_a_hundred_of_a_megabyte_take_the_room_of_a_few() -> None:
    walk = walk_through(Documents([True] * 100, size=MEGABYTE))
    tracemalloc.start()
    try:
        jobs = walk.take(100)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {len(job.extension_prompt or "") for job in jobs} == {2_000}
    assert most < 8 * MEGABYTE
