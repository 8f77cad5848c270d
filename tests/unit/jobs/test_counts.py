"""When counts run, and what becomes of them when nobody waits for them any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.types import RunAggregationQueryResponse, Value

from shared.jobs.counts import Counting
from shared.jobs.job import JobStatus
from shared.jobs.pagination import ListQuery

WITH_COUNTS = ListQuery(user_id="ann", with_counts=True)


class HeldFirestore:
    """In place of the library's connection: begins each count, and answers none before it is released."""

    def __init__(self, together: int) -> None:
        self.begun = 0
        self.released = threading.Event()
        self.all_there = threading.Barrier(together + 1)
        self._lock = threading.Lock()

    def run_aggregation_query(self, request: dict[str, Any], **_: Any) -> Iterator[RunAggregationQueryResponse]:
        with self._lock:
            self.begun += 1
        self.all_there.wait(10)
        self.released.wait(10)
        deleted = "deleted_at" in str(request["structured_aggregation_query"])
        counted = {"aggregate_fields": {"jobs": Value(integer_value=1 if deleted else 3)}}
        return iter([RunAggregationQueryResponse(result=counted)])


class CountedFirestore:
    """In place of the library's connection: has so many live jobs of each status, and none that is deleted."""

    def __init__(self, counts: dict[str, int]) -> None:
        self._counts = counts

    def run_aggregation_query(self, request: dict[str, Any], **_: Any) -> Iterator[RunAggregationQueryResponse]:
        query = request["structured_aggregation_query"].structured_query
        filters = query.where.composite_filter.filters or [query.where]
        asked = {one.field_filter.field.field_path: one.field_filter.value.string_value for one in filters}
        number = 0 if "deleted_at" in str(query) else self._counts[asked.get("status", "all")]
        counted = {"aggregate_fields": {"jobs": Value(integer_value=number)}}
        return iter([RunAggregationQueryResponse(result=counted)])


def jobs_in(held: HeldFirestore | CountedFirestore) -> firestore.CollectionReference:
    client: Any = firestore.Client(project="x", credentials=AnonymousCredentials())
    client._firestore_api_internal = held
    jobs: firestore.CollectionReference = client.collection("jobs")
    return jobs


@pytest.mark.parametrize(
    ("query", "together"),
    [
        (ListQuery(user_id="ann"), 2),
        (WITH_COUNTS, 12),
        (ListQuery(user_id="ann", with_counts=True, id_prefix="a"), 14),
    ],
)
def test_the_counts_of_one_answer_run_side_by_side(query: ListQuery, together: int) -> None:
    held = HeldFirestore(together)
    with ThreadPoolExecutor(20) as pool, Counting(jobs_in(held), query, pool) as counting:
        held.all_there.wait(10)
        held.released.set()
        assert counting.total() == 2
        # More of the known statuses than there are at all, as when a job's status changes meanwhile.
        expected = {**dict.fromkeys(["all", *JobStatus], 2), "other": 0}
        assert counting.by_status() == (expected if query.with_counts else None)
    assert held.begun == together


def test_counts_that_nobody_waits_for_any_more_leave_no_queue_behind() -> None:
    held = HeldFirestore(together=3)
    with ThreadPoolExecutor(3) as pool:
        with Counting(jobs_in(held), WITH_COUNTS, pool):
            held.all_there.wait(10)
        held.released.set()
    assert held.begun == 3


@pytest.mark.parametrize(
    ("statuses", "total"), [(("other",), 1), (("failed", "other"), 2), (("pending", "queued"), 2)]
)
def test_what_the_known_statuses_leave_of_all_is_of_the_other_ones(statuses: tuple[str, ...], total: int) -> None:
    query = ListQuery(user_id="ann", statuses=statuses, with_counts=True)
    counted = {"all": 6, **dict.fromkeys(map(str, JobStatus), 1)}
    with ThreadPoolExecutor(1) as pool, Counting(jobs_in(CountedFirestore(counted)), query, pool) as counting:
        assert counting.by_status() == {**counted, "other": 1}
        assert counting.total() == total


def test_jobs_by_id_alone_are_not_counted() -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        Counting(jobs_in(HeldFirestore(1)), ListQuery(user_id="ann", ids=()), pool) as none,
    ):
        assert none.by_status() is None
