"""The Firestore queries for a user's jobs; infra/cloud/firestore.indexes.json has their indexes.

The emulator runs queries without an index too, so tests/unit/jobs/test_indexes.py compares queries and indexes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.jobs.job import OTHER
from shared.jobs.pagination import ListQuery
from shared.jobs.reading import StructuredQuery, Value

_AFTER_ALL_IDS = "~"
"""Sorts after every character that an id may contain."""
_ASCENDING, _DESCENDING = StructuredQuery.ASCENDING, StructuredQuery.DESCENDING
_FieldFilter = StructuredQuery.FieldFilter
Name = Callable[[str], str]
"""Gives the full name of the document of a job id."""


def in_order(query: ListQuery, name: Name) -> Any:
    """All matching jobs, deleted or not: newest first, or by id for a search.

    Firestore cannot select just the unknown statuses, so a query for OTHER returns jobs of any status. `not-in`
    would leave out jobs without a status: https://firebase.google.com/docs/firestore/query-data/queries#not-in
    Only a search finds jobs without a `created_at`.
    """
    matching = _matching(query, name)
    if query.id_prefix is not None:
        return _ordered(matching, ("__name__", _ASCENDING))
    return _ordered(matching, ("created_at", _DESCENDING), ("__name__", _DESCENDING))


def deleted(query: ListQuery, name: Name) -> Any:
    """The deleted jobs of `in_order`. Both order by the same field, so that both leave out the same documents.

    Firestore accepts a range of ids together with the inequality, but not a single id:
    https://firebase.google.com/docs/firestore/query-data/multiple-range-fields#limitations
    """
    marked = _matching(query, name)
    unequal = marked.where.composite_filter.filters.add().unary_filter
    unequal.op, unequal.field.field_path = StructuredQuery.UnaryFilter.IS_NOT_NULL, "deleted_at"
    second = "created_at" if query.id_prefix is None else "__name__"
    return _ordered(marked, ("deleted_at", _ASCENDING), (second, _ASCENDING))


def _matching(query: ListQuery, name: Name) -> Any:
    mine = StructuredQuery()
    mine.from_.add(collection_id="jobs")
    mine.where.composite_filter.op = StructuredQuery.CompositeFilter.AND
    _where(mine, "user_id", _FieldFilter.EQUAL, Value(string_value=query.user_id))
    if query.id_prefix is not None:
        first, end = name(query.id_prefix), name(query.id_prefix + _AFTER_ALL_IDS)
        _where(mine, "__name__", _FieldFilter.GREATER_THAN_OR_EQUAL, Value(reference_value=first))
        _where(mine, "__name__", _FieldFilter.LESS_THAN, Value(reference_value=end))
    elif query.statuses and OTHER not in query.statuses:
        statuses = [Value(string_value=status) for status in query.statuses]
        if len(statuses) == 1:
            _where(mine, "status", _FieldFilter.EQUAL, statuses[0])
        else:
            _where(mine, "status", _FieldFilter.IN, Value(array_value={"values": statuses}))
    return mine


def _where(query: Any, field: str, operator: Any, value: Any) -> None:
    one = query.where.composite_filter.filters.add().field_filter
    one.field.field_path, one.op = field, operator
    one.value.CopyFrom(value)


def _ordered(query: Any, *orders: tuple[str, Any]) -> Any:
    for field, direction in orders:
        order = query.order_by.add(direction=direction)
        order.field.field_path = field
    return query
