"""The Firestore queries for a user's jobs; infra/cloud/firestore.indexes.json has their indexes.

The emulator runs queries without an index too, so tests/unit/jobs/test_indexes.py compares queries and indexes.
"""

from __future__ import annotations

from google.cloud.firestore import CollectionReference, Query
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.jobs.job import OTHER
from shared.jobs.pagination import ListQuery

_AFTER_ALL_IDS = "~"
"""Sorts after every character that an id may contain."""


def in_order(jobs: CollectionReference, query: ListQuery) -> Query:
    """All matching jobs, deleted or not: newest first, or by id for a search.

    Firestore cannot select just the unknown statuses, so a query for OTHER returns jobs of any status. `not-in`
    would leave out jobs without a status: https://firebase.google.com/docs/firestore/query-data/queries#not-in
    Only a search finds jobs without a `created_at`.
    """
    matching = _matching(jobs, query)
    if query.id_prefix is not None:
        return matching.order_by("__name__")
    newest_first = matching.order_by("created_at", direction=Query.DESCENDING)
    return newest_first.order_by("__name__", direction=Query.DESCENDING)


def deleted(jobs: CollectionReference, query: ListQuery) -> Query:
    """The deleted jobs of `in_order`. Both order by the same field, so that both leave out the same documents.

    Firestore accepts a range of ids together with the inequality, but not a single id:
    https://firebase.google.com/docs/firestore/query-data/multiple-range-fields#limitations
    """
    marked = _matching(jobs, query).where(filter=FieldFilter("deleted_at", "!=", None)).order_by("deleted_at")
    return marked.order_by("created_at" if query.id_prefix is None else "__name__")


def _matching(jobs: CollectionReference, query: ListQuery) -> Query:
    mine: Query = jobs.where(filter=FieldFilter("user_id", "==", query.user_id))
    if query.id_prefix is not None:
        first, end = jobs.document(query.id_prefix), jobs.document(query.id_prefix + _AFTER_ALL_IDS)
        return mine.where(filter=FieldFilter("__name__", ">=", first)).where(
            filter=FieldFilter("__name__", "<", end)
        )
    if not query.statuses or OTHER in query.statuses:
        return mine
    if len(query.statuses) == 1:
        return mine.where(filter=FieldFilter("status", "==", query.statuses[0]))
    return mine.where(filter=FieldFilter("status", "in", list(query.statuses)))
