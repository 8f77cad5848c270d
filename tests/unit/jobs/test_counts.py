"""When counts run, and how they end when nobody waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.jobs.counts import Counting
from shared.jobs.job import JobStatus
from shared.jobs.pagination import ListQuery, Position
from shared.jobs.reading import Jobs
from tests.firestore_channel import Channel, counted
from tests.jobs import NOW

WITH_COUNTS = ListQuery(user_id="ann", with_counts=True)
AFTER = Position("job", NOW, 2, 20, 57)


def counting(query: ListQuery, counts: dict[str, int]) -> tuple[Channel, Counting]:
    """Counts of a user with so many live jobs of each status, and one deleted job besides."""

    def answer(request: Any) -> Iterator[Any]:
        asked = request.structured_aggregation_query.structured_query
        filters = asked.where.composite_filter.filters
        values = {one.field_filter.field.field_path: one.field_filter.value.string_value for one in filters}
        found = counts[values.get("status", "all")]
        return counted(1 if "deleted_at" in str(asked) else found + 1)

    channel = Channel({"RunAggregationQuery": answer})
    return channel, Counting(Jobs(channel.client), query)


@pytest.mark.parametrize(
    ("query", "together"),
    [
        (ListQuery(user_id="ann"), 2),
        (WITH_COUNTS, 12),
        (ListQuery(user_id="ann", with_counts=True, id_prefix="a"), 14),
        (ListQuery(user_id="ann", ids=()), 0),
        (ListQuery(user_id="ann", after=replace(AFTER, total=None)), 2),
        (ListQuery(user_id="ann", after=AFTER), 0),
        (ListQuery(user_id="ann", after=AFTER, statuses=("other",)), 0),
        (ListQuery(user_id="ann", after=AFTER, id_prefix="a"), 0),
        (ListQuery(user_id="ann", after=AFTER, with_counts=True), 12),
    ],
)
def test_all_counts_of_one_answer_are_under_way_before_anybody_waits(query: ListQuery, together: int) -> None:
    # The known statuses add up to more than all jobs, as if a job's status changed meanwhile.
    channel, counts = counting(query, dict.fromkeys(["all", *JobStatus], 2))
    assert len(channel.begun) == together
    if query.ids is None:
        assert counts.total() == (57 if query.after and query.after.total else 2)
    expected = {**dict.fromkeys(["all", *JobStatus], 2), "other": 0}
    assert counts.by_status() == (expected if query.with_counts else None)
    assert len(channel.begun) == together


def test_counts_that_nobody_waits_for_any_more_are_given_up() -> None:
    channel, counts = counting(WITH_COUNTS, dict.fromkeys(["all", *JobStatus], 0))
    with counts:
        pass
    assert channel.cancelled == 12


@pytest.mark.parametrize(
    ("statuses", "total"), [(("other",), 1), (("failed", "other"), 2), (("pending", "queued"), 2)]
)
def test_other_is_all_jobs_minus_the_known_statuses(statuses: tuple[str, ...], total: int) -> None:
    query = ListQuery(user_id="ann", statuses=statuses, with_counts=True)
    live = {"all": 6, **dict.fromkeys(map(str, JobStatus), 1)}
    _, counts = counting(query, live)
    assert counts.by_status() == {**live, "other": 1}
    assert counts.total() == total
