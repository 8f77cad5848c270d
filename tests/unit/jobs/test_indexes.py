"""Compares queries with indexes. Production refuses a query without its index, but the emulator runs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsResponse,
    RunAggregationQueryResponse,
    RunQueryResponse,
    StructuredQuery,
)

from shared.jobs.job import JOB_TYPES, OTHER, JobStatus
from shared.jobs.pagination import ListQuery, Position
from shared.services import Services
from shared.sharing.shares import NoSuchVideo
from shared.storage.retention import Retention
from tests.fakes import SETTINGS
from tests.firestore_channel import Answer, Channel, counted
from tests.jobs import NOW

Order = tuple[str, str]
"""A field and its direction, as in firestore.indexes.json."""

FILE: dict[str, Any] = json.loads((Path(__file__).parents[3] / "infra/cloud/firestore.indexes.json").read_text())
INDEXES: dict[str, list[list[Order]]] = {
    collection: [
        [(field["fieldPath"], field["order"]) for field in index["fields"]]
        for index in FILE["indexes"]
        if index["collectionGroup"] == collection
    ]
    for collection in ("jobs", "deletions", "erasures")
}

PLACES: dict[str, dict[str, Any]] = {
    "first page": {},
    "third page": {"page": 3},
    "after a cursor": {"after": Position("job", NOW, 2, 20, 1000)},
}
FILTERS = {
    "any status": (),
    "one status": (JobStatus.COMPLETED,),
    "two statuses": (JobStatus.PENDING, JobStatus.FAILED),
    "other statuses": (OTHER,),
}


Ask = Callable[[Services], object]


def page(**options: Any) -> Ask:
    return lambda services: services.repository.page(ListQuery(user_id="ann", **options))


SCOPES: dict[str, dict[str, Any]] = {
    "newest first": {},
    "oldest first": {"oldest_first": True},
    "of one type": {"types": JOB_TYPES[:1]},
    "of some types since a time": {"types": JOB_TYPES, "created_after": NOW, "oldest_first": True},
    "between two times": {"created_after": NOW, "created_before": NOW + timedelta(1)},
}
ASKED = {
    f"{place}, {filtered}": page(statuses=statuses, **position)
    for place, position in PLACES.items()
    for filtered, statuses in FILTERS.items()
}
ASKED |= {
    f"{filtered}, {scoped}, {place}": page(statuses=statuses, **scope, **PLACES[place])
    for filtered, statuses in FILTERS.items()
    for scoped, scope in SCOPES.items()
    for place in ("first page", "after a cursor")
}
ASKED |= {f"{place}, by prefix": page(id_prefix="70eb", **position) for place, position in PLACES.items()}
ASKED |= {f"{place}, shared": page(shared=True, **PLACES[place]) for place in ("first page", "third page")}
ASKED |= {
    "first page, by name": page(name_prefix="cat"),
    "after a cursor, by name": page(name_prefix="cat", after=Position("job", None, 2, 20, 1000, "cats")),
}
ASKED |= {
    "counts beside a list": page(with_counts=True),
    "counts beside jobs by id": page(with_counts=True, ids=("70eb",)),
    "counts beside a search": page(with_counts=True, id_prefix="70eb"),
}
ASKED["the oldest pending purge"] = lambda services: services.ledger.oldest_pending(NOW, 100)
ASKED["all pending purges"] = lambda services: list(services.ledger.pending(NOW))
ASKED["due deletions"] = lambda services: services.ledger.due(NOW, 100, 500)
# Nothing is found here, and nothing is as many as asked for.
ASKED["more due deletions than asked for"] = lambda services: services.ledger.due(NOW, 1, -1)
ASKED["purges of the old form"] = lambda services: list(services.ledger.old_form())
ASKED["pending purges of the old form"] = lambda services: services.ledger.old_form_pending(100)
ASKED["links whose time has come"] = lambda services: list(services.expiries.end_due(NOW, 100))
ASKED["all deletions"] = lambda services: list(services.ledger.all())
ASKED["how many jobs there are"] = lambda services: services.repository.count(ListQuery(user_id="ann"))
ASKED["all of a user's jobs"] = lambda services: services.repository.batch("ann", NOW, None, 100)
ASKED["more of a user's jobs"] = lambda services: services.repository.batch("ann", NOW, "job", 100)
ASKED["the latest erasure"] = lambda services: services.erasures.latest("ann")
ASKED["due erasures"] = lambda services: services.erasures.due(NOW, 100)
ASKED["displaced texts"] = lambda services: services.ledger.forget_displaced("job", ["name"])
ASKED["jobs that name an object"] = lambda services: list(
    services.ledger.jobs_naming("ann", "motion_video_path", "ann/1/motion.mp4")
)
ASKED["stalled jobs"] = lambda services: services.stalled.untold(NOW, 100)
KEPT = Retention(timedelta(days=7), NOW - timedelta(days=30))
TRASH = ListQuery(user_id="ann", deleted=True)
ASKED["the trash"] = lambda services: services.trash.page(TRASH, KEPT, NOW)
ASKED["the trash, after a cursor"] = lambda services: services.trash.page(
    replace(TRASH, after=Position("job", NOW, 2, 20, 1000)), KEPT, NOW
)
ASKED["a link that nobody has made"] = lambda services: services.shares.resolve("25ca1d0f", NOW)
ASKED["a link that nobody has made, on its first view"] = lambda services: services.shares.settle("25ca1d0f", NOW)
ASKED["views that wait"] = lambda services: list(services.views.waiting(100))


def test_the_file_of_indexes_says_nothing_that_no_deploy_reads() -> None:
    assert FILE.keys() == {"indexes"}
    assert {name for index in FILE["indexes"] for name in index} == {"collectionGroup", "queryScope", "fields"}


def test_no_query_needs_a_single_field_index_of_a_time_that_grows() -> None:
    # docs/cost.md says that these may be exempted.
    needs = [need_of(query) for ask in ASKED.values() for query in queries_of(ask)]
    alone = {field for need in needs if need.is_met_without_composite_index for field, _ in need.orders}
    assert alone.isdisjoint({"created_at", "updated_at", "completed_at"})


class Need(NamedTuple):
    """What an index must have: first the fields compared for equality, then those of the query's order."""

    equal: frozenset[str]
    orders: tuple[Order, ...]

    @property
    def is_met_without_composite_index(self) -> bool:
        return not self.orders or len(self.equal) + len(self.orders) < 2

    def is_met_by(self, index: list[Order]) -> bool:
        """Firestore does not read indexes backwards: a descending one does not serve an ascending query.

        Seen in production: https://github.com/BasedHardware/omi/issues/10777
        """
        first, rest = index[: len(self.equal)], index[len(self.equal) :]
        return {field for field, _ in first} == self.equal and tuple(rest) == self.orders


class RecordingFirestore:
    """Replaces the library's connection. Records each query and each read of the library, and finds no documents;
    each count is 1,000.
    """

    def __init__(self) -> None:
        self.queries: list[StructuredQuery] = []
        self.reads: list[list[str]] = []
        answers: dict[str, Answer] = {
            "RunQuery": self._raw_query,
            "RunAggregationQuery": self._raw_count,
            "BatchGetDocuments": lambda _: [],
        }
        self.raw = Channel(answers)

    def _raw_query(self, request: Any) -> Iterator[Any]:
        self.queries.append(StructuredQuery.wrap(request.structured_query))
        return iter(())

    def _raw_count(self, request: Any) -> Iterator[Any]:
        query = request.structured_aggregation_query.structured_query
        self.queries.append(StructuredQuery.wrap(query))
        return counted(0 if "deleted_at" in str(query) else 1000)

    def run_query(self, request: dict[str, Any], **_: Any) -> Iterator[RunQueryResponse]:
        self.queries.append(request["structured_query"])
        return iter(())

    def run_aggregation_query(self, request: dict[str, Any], **_: Any) -> Iterator[RunAggregationQueryResponse]:
        self.queries.append(request["structured_aggregation_query"].structured_query)
        result = {"aggregate_fields": {"field_1": {"integer_value": 1000}}}
        return iter([RunAggregationQueryResponse(result=result, read_time=NOW)])

    def batch_get_documents(self, request: dict[str, Any], **_: Any) -> Iterator[BatchGetDocumentsResponse]:
        self.reads.append(request["documents"])
        return iter(())


def queries_of(ask: Ask) -> list[StructuredQuery]:
    return recorded(ask).queries


def recorded(ask: Ask) -> RecordingFirestore:
    recorder = RecordingFirestore()
    client: Any = recorder.raw.client
    client._firestore_api_internal = recorder
    services = Services(SETTINGS)
    services.__dict__["firestore"] = client
    with suppress(NoSuchVideo):
        ask(services)
    return recorder


def need_of(query: StructuredQuery) -> Need:
    equal: set[str] = set()
    compared: set[str] = set()
    for filter_ in query.where.composite_filter.filters or [query.where]:
        if "field_filter" in filter_:
            same = filter_.field_filter.op.name in ("EQUAL", "IN")
            (equal if same else compared).add(filter_.field_filter.field.field_path)
        elif "unary_filter" in filter_:
            same = filter_.unary_filter.op.name in ("IS_NULL", "IS_NAN")
            (equal if same else compared).add(filter_.unary_filter.field.field_path)
    orders = [(order.field.field_path, order.direction.name) for order in query.order_by]
    assert compared <= {field for field, _ in orders}, "an order left to Firestore is not understood here"
    last = orders[-2][1] if len(orders) > 1 else "ASCENDING"
    if orders and orders[-1] == ("__name__", last):
        orders.pop()  # every index ends in __name__, in the direction of its last field
    return Need(frozenset(equal), tuple(orders))


@pytest.mark.parametrize("asked", ASKED)
def test_every_query_has_its_index(asked: str) -> None:
    queries = queries_of(ASKED[asked])
    assert queries
    for query in queries:
        need = need_of(query)
        (source,) = query.from_
        assert not source.all_descendants
        indexes = INDEXES.get(source.collection_id, [])
        assert need.is_met_without_composite_index or any(need.is_met_by(index) for index in indexes), need


def test_every_index_has_its_query() -> None:
    queries = [query for ask in ASKED.values() for query in queries_of(ask)]
    for collection, indexes in INDEXES.items():
        needs = [need_of(query) for query in queries if query.from_[0].collection_id == collection]
        assert [index for index in indexes if not any(need.is_met_by(index) for need in needs)] == []
        assert len({tuple(index) for index in indexes}) == len(indexes)


def test_a_query_of_many_jobs_names_the_fields_that_it_reads() -> None:
    """A whole document may be a megabyte."""
    for asked, ask in ASKED.items():
        for query in queries_of(ask):
            limit: Any = query.limit  # an int, or None for a count
            if query.from_[0].collection_id == "jobs" and limit is not None and limit > 2:
                assert query.select.fields, asked


def test_where_the_ledger_is_empty_no_job_is_read() -> None:
    assert recorded(ASKED["all deletions"]).reads == []


def test_a_search_needs_an_index_for_its_deleted_jobs_alone() -> None:
    needs = {need_of(query) for query in queries_of(ASKED["first page, by prefix"])}
    assert needs == {
        Need(frozenset({"user_id"}), ()),
        Need(frozenset({"user_id"}), (("deleted_at", "ASCENDING"),)),
    }


def test_all_statuses_and_types_together_are_no_more_combinations_than_firestore_allows() -> None:
    """https://firebase.google.com/docs/firestore/query-data/queries#limits_on_or_queries"""
    assert len(JobStatus) * len(JOB_TYPES) <= 30


def test_every_index_is_on_jobs_or_on_the_ledger() -> None:
    assert {(index["collectionGroup"], index["queryScope"]) for index in FILE["indexes"]} == {
        (collection, "COLLECTION") for collection in INDEXES
    }


@pytest.mark.parametrize(
    "index",
    [
        [("user_id", "ASCENDING"), ("created_at", "ASCENDING")],
        [("user_id", "ASCENDING"), ("status", "ASCENDING"), ("created_at", "DESCENDING")],
        [("created_at", "DESCENDING"), ("user_id", "ASCENDING")],
        [("user_id", "ASCENDING")],
    ],
)
def test_another_index_does_not_serve_the_list(index: list[Order]) -> None:
    need = next(need_of(query) for query in queries_of(ASKED["first page, any status"]) if query.limit)
    assert need == Need(frozenset({"user_id"}), (("created_at", "DESCENDING"),))
    assert not need.is_met_by(index)
