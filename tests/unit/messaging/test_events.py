from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import UnprocessableEvent
from shared.messaging.events import JobDeleted, VideoViewed
from tests.jobs import NOW

EVENT = JobDeleted("job-1", "user-1", NOW)
GOOD: dict[str, Any] = json.loads(EVENT.encode()[0])


def decode(attributes: dict[str, str] | None = None, **changes: Any) -> JobDeleted:
    return JobDeleted.decode(json.dumps({**GOOD, **changes}).encode(), attributes or {})


def test_the_message_is_as_the_contract_has_it() -> None:
    data, attributes = EVENT.encode()
    assert json.loads(data) == {
        "version": 1,
        "job_id": "job-1",
        "user_id": "user-1",
        "deleted_at": "2026-11-22T12:07:30.250000Z",
    }
    assert attributes == {"type": "job.deleted", "job_id": "job-1"}
    assert JobDeleted.decode(data, attributes) == EVENT


def test_fields_that_are_not_known_are_ignored() -> None:
    assert decode(colour="cyan") == EVENT


BAD: dict[str, list[object]] = {
    "version": [0, 2, "1", 1.0, True, None],
    "job_id": ["", "..", "a/b", "%2f", "é", "\0", "a" * 10_000, None, 7, []],
    "user_id": ["", "..", "a/b", "\0", "a" * 10_000, None, 7, {}],
    "deleted_at": ["", "yesterday", None, 7, "2026-11-22T12:00:00"],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in BAD.items() for value in values])
def test_a_malformed_field_is_refused_and_named(field: str, value: object) -> None:
    with pytest.raises(UnprocessableEvent, match=field):
        decode(**{field: value})  # type: ignore[arg-type]  # fields of the body


@pytest.mark.parametrize("field", ["version", "job_id", "user_id", "deleted_at"])
def test_a_missing_field_is_refused_and_named(field: str) -> None:
    body = {name: value for name, value in GOOD.items() if name != field}
    with pytest.raises(UnprocessableEvent, match=field):
        JobDeleted.decode(json.dumps(body).encode(), {})


@pytest.mark.parametrize(
    ("attributes", "named"), [({"type": "job.created"}, "type"), ({"job_id": "job-2"}, "job_id")]
)
def test_attributes_that_say_something_else_are_refused(attributes: dict[str, str], named: str) -> None:
    with pytest.raises(UnprocessableEvent, match=named):
        decode(attributes)


@given(
    st.binary()
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(UnprocessableEvent):
        JobDeleted.decode(data, {})


def test_json_nested_too_deeply_is_refused() -> None:
    with pytest.raises(UnprocessableEvent):
        JobDeleted.decode(b"[" * 100_000, {})


def test_a_view_names_its_job_alone() -> None:
    data, attributes = VideoViewed("job-1").encode()
    assert (json.loads(data), attributes) == (
        {"version": 1, "job_id": "job-1", "unsettled": None},
        {"type": "video.viewed"},
    )
    assert VideoViewed.decode(data, attributes) == VideoViewed("job-1")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"version": 2, "job_id": "job-1"}, "version"),
        ({"version": 1, "job_id": "a/b"}, "job_id"),
        ({"version": 1, "job_id": "job-1", "unsettled": 7}, "unsettled"),
        ([], "object"),
    ],
)
def test_a_view_that_makes_no_sense_is_refused(body: object, named: str) -> None:
    with pytest.raises(UnprocessableEvent, match=named):
        VideoViewed.decode(json.dumps(body).encode(), {})
