"""Whether a page is the last one, where the counts and the jobs may be of different times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.jobs.pagination import ListQuery
from shared.jobs.reading import RunAggregationQueryResponse, RunQueryResponse, time_value
from shared.jobs.repository import JobRepository
from tests.firestore_channel import Channel

COUNTED_AT = 100
"""Seconds since 1970."""


class Firestore:
    """Two jobs on a page of two, and `total`s for one count after the other."""

    def __init__(self, changed_at: int, *totals: int) -> None:
        self._changed_at = changed_at
        self._totals = iter(totals)
        self.channel = Channel({"RunQuery": self._jobs, "RunAggregationQuery": self._count})

    def _jobs(self, request: Any) -> Iterator[Any]:
        for number in range(request.structured_query.limit.value):
            response = RunQueryResponse()
            response.document.name = f"projects/x/databases/(default)/documents/jobs/job-{number}"
            response.document.update_time.seconds = self._changed_at if number else 1
            response.document.fields["user_id"].string_value = "ann"
            response.document.fields["status"].string_value = "failed"
            response.document.fields["created_at"].CopyFrom(time_value(datetime(2026, 11, 22, 12, tzinfo=UTC)))
            yield response

    def _count(self, request: Any) -> Iterator[Any]:
        response = RunAggregationQueryResponse()
        response.read_time.seconds = COUNTED_AT
        of_deleted = "deleted_at" in str(request.structured_aggregation_query)
        response.result.aggregate_fields["jobs"].integer_value = 0 if of_deleted else next(self._totals)
        yield response

    def page(self, **options: Any) -> tuple[int, bool]:
        """The total, and whether another page follows."""
        query = ListQuery(user_id="ann", page_size=2, **options)
        page = JobRepository(self.channel.client).page(query)
        return page.total, page.next is not None

    @property
    def counts(self) -> int:
        return sum(name == "RunAggregationQuery" for name, _ in self.channel.begun)

    @property
    def queries(self) -> int:
        return len(self.channel.begun) - self.counts


@pytest.mark.parametrize("changed_at", [COUNTED_AT - 1, COUNTED_AT])
def test_counts_are_believed_where_no_job_of_the_page_has_changed_since(changed_at: int) -> None:
    firestore = Firestore(changed_at, 2)
    assert firestore.page() == (2, False)
    assert (firestore.counts, firestore.queries) == (2, 1)


@pytest.mark.parametrize("scope", [{"types": ("foley",)}, {"id_prefix": "job"}, {"shared": True}], ids=str)
def test_counts_by_status_that_nobody_has_read_yet_make_a_filters_count_no_older(scope: dict[str, Any]) -> None:
    firestore = Firestore(COUNTED_AT, 2, *[0] * 8)
    assert firestore.page(with_counts=True, **scope) == (2, False)
    assert (firestore.counts, firestore.queries) == (14, 1)


@pytest.mark.parametrize(("again", "expected"), [(2, (2, False)), (3, (3, True)), (1, (2, False))])
def test_if_one_has_changed_since_they_are_counted_again(again: int, expected: tuple[int, bool]) -> None:
    firestore = Firestore(COUNTED_AT + 1, 2, again)
    assert firestore.page() == expected
    assert (firestore.counts, firestore.queries) == (4, 1)


def test_where_more_were_counted_than_are_shown_another_page_follows_whatever_has_changed() -> None:
    firestore = Firestore(COUNTED_AT + 1, 3)
    assert firestore.page() == (3, True)
    assert firestore.counts == 2
