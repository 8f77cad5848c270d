"""The Firestore queries for a user's jobs; infra/cloud/firestore.indexes.json has their indexes.

The emulator runs queries without an index too, so tests/unit/jobs/test_indexes.py compares queries and indexes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from shared.jobs.job import OTHER
from shared.jobs.pagination import ListQuery
from shared.jobs.reading import StructuredQuery, Value, time_value

_AFTER_ALL_IDS = "~"
"""Sorts after every character that an id may contain."""
_AFTER_ALL_NAMES = "\U0010ffff"
"""The last code point, which is no character. Firestore sorts texts by their bytes in UTF-8."""
_ASCENDING, _DESCENDING = StructuredQuery.ASCENDING, StructuredQuery.DESCENDING
_FieldFilter = StructuredQuery.FieldFilter
Name = Callable[[str], str]
"""Gives the full name of the document of a job id."""


def in_order(query: ListQuery, name: Name) -> Any:
    """All matching jobs, deleted or not: newest or oldest first, or by id or folded name for a search.

    Firestore cannot select just the unknown statuses, so a query for OTHER returns jobs of any status. `not-in`
    would leave out jobs without a status: https://firebase.google.com/docs/firestore/query-data/queries#not-in
    Only a search finds jobs without a `created_at`.
    """
    matching = _matching(query, name)
    if query.id_prefix is not None:
        return _ordered(matching, ("__name__", _ASCENDING))
    if query.name_prefix is not None:
        return _ordered(matching, ("name_folded", _ASCENDING), ("__name__", _ASCENDING))
    direction = _ASCENDING if query.oldest_first else _DESCENDING
    if query.shared:
        # A field that a query compares is also one that it is ordered by:
        # https://firebase.google.com/docs/firestore/query-data/multiple-range-fields
        return _ordered(matching, ("created_at", direction), ("short_id", direction), ("__name__", direction))
    return _ordered(matching, ("created_at", direction), ("__name__", direction))


def deleted(query: ListQuery, name: Name) -> Any:
    """The deleted jobs of `in_order`. Both order by the same fields, so that both leave out the same documents.

    Firestore accepts a range of ids together with the inequality, but not a single id:
    https://firebase.google.com/docs/firestore/query-data/multiple-range-fields#limitations
    """
    marked = _matching(query, name)
    unequal = marked.where.composite_filter.filters.add().unary_filter
    unequal.op, unequal.field.field_path = StructuredQuery.UnaryFilter.IS_NOT_NULL, "deleted_at"
    first, *more = (order.field.field_path for order in in_order(query, name).order_by)
    paths = ["deleted_at", first, *(path for path in more if path != "__name__")]
    return _ordered(marked, *((path, _ASCENDING) for path in paths))


def all_of(user_id: str) -> Any:
    """All of the user's jobs, deleted or not, with a `created_at` or without, by id."""
    return _ordered(_of(user_id), ("__name__", _ASCENDING))


def _of(user_id: str) -> Any:
    mine = StructuredQuery()
    mine.from_.add(collection_id="jobs")
    mine.where.composite_filter.op = StructuredQuery.CompositeFilter.AND
    _where(mine, "user_id", _FieldFilter.EQUAL, Value(string_value=user_id))
    return mine


def _matching(query: ListQuery, name: Name) -> Any:
    mine = _of(query.user_id)
    if query.id_prefix is not None:
        first, end = name(query.id_prefix), name(query.id_prefix + _AFTER_ALL_IDS)
        _between(mine, "__name__", Value(reference_value=first), Value(reference_value=end))
    elif query.name_prefix is not None:
        end = query.name_prefix + _AFTER_ALL_NAMES
        _between(mine, "name_folded", Value(string_value=query.name_prefix), Value(string_value=end))
    else:
        if OTHER not in query.statuses:
            _among(mine, "status", query.statuses)
        _among(mine, "job_type", query.types)
        _between(mine, "created_at", _time(query.created_after), _time(query.created_before))
        if query.shared:
            # The end of a link sets the field to null, and a range of texts holds texts alone.
            _where(mine, "short_id", _FieldFilter.GREATER_THAN, Value(string_value=""))
    return mine


def _among(query: Any, field: str, values: Sequence[str]) -> None:
    """Firestore allows 30 combinations of values, and there are five statuses and six types.

    https://firebase.google.com/docs/firestore/query-data/queries#limits_on_or_queries
    """
    texts = [Value(string_value=value) for value in values]
    if len(texts) == 1:
        _where(query, field, _FieldFilter.EQUAL, texts[0])
    elif texts:
        _where(query, field, _FieldFilter.IN, Value(array_value={"values": texts}))


def _between(query: Any, field: str, first: Any, end: Any) -> None:
    """From `first` on, up to but without `end`. None stands for no limit."""
    if first is not None:
        _where(query, field, _FieldFilter.GREATER_THAN_OR_EQUAL, first)
    if end is not None:
        _where(query, field, _FieldFilter.LESS_THAN, end)


def _time(time: datetime | None) -> Any:
    return None if time is None else time_value(time)


def _where(query: Any, field: str, operator: Any, value: Any) -> None:
    one = query.where.composite_filter.filters.add().field_filter
    one.field.field_path, one.op = field, operator
    one.value.CopyFrom(value)


def _ordered(query: Any, *orders: tuple[str, Any]) -> Any:
    for field, direction in orders:
        order = query.order_by.add(direction=direction)
        order.field.field_path = field
    return query
