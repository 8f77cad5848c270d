"""The description of jobs and query parameters, compared with shared/jobs/job.py and pagination.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args, get_type_hints

import jsonschema_rs
import pytest
from werkzeug.datastructures import MultiDict

from shared.errors import BadRequest
from shared.jobs import documents, pagination
from shared.jobs.job import ALL_SHOWN, LONGEST_LISTED_TEXT, Job, JobStatus, is_job_id
from shared.jobs.pagination import STATUS_GROUPS, ListQuery
from tests.jobs import NOW
from tests.openapi import described_api

DESCRIPTION: dict[str, Any] = described_api().raw_schema
SCHEMAS: dict[str, dict[str, Any]] = DESCRIPTION["components"]["schemas"]
PARAMETERS: dict[str, dict[str, Any]] = DESCRIPTION["components"]["parameters"]
QUERY: dict[str, dict[str, Any]] = {
    parameter["name"]: parameter["schema"] for parameter in PARAMETERS.values() if parameter["in"] == "query"
}
HINTS = get_type_hints(Job)
OPTIONAL = {name for name, hint in HINTS.items() if type(None) in get_args(hint)} | {"share_url"}
TEXTS: dict[str, Any] = {name: "text" for name, hint in HINTS.items() if hint in (str, str | None)}
TIMES: dict[str, Any] = {name: NOW for name, hint in HINTS.items() if hint == datetime | None}
JOB = Job(**TEXTS, **TIMES, seed=7, credits_charged=2.5, credits_refunded=2, view_count=3).as_json(
    "https://nuumee.ai"
)


def is_valid(schema: str, value: object) -> bool:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DESCRIPTION["components"]}
    return jsonschema_rs.is_valid(whole, value, validate_formats=True)


def parse(**parameters: str) -> ListQuery:
    return ListQuery.parse(MultiDict(parameters), "me")


def test_every_field_of_a_job_is_described_and_no_other() -> None:
    described = SCHEMAS["JobFields"]
    assert set(described["properties"]) == set(described["required"]) == set(JOB)
    assert is_valid("Job", JOB)
    assert not is_valid("Job", {**JOB, "deleted_at": None})


@pytest.mark.parametrize("name", JOB)
def test_a_field_is_described_with_its_type_and_null_only_where_a_job_may_lack_it(name: str) -> None:
    assert is_valid("Job", {**JOB, name: None}) == (name in OPTIONAL)
    assert not is_valid("Job", {**JOB, name: "yes" if isinstance(JOB[name], bool) else True})
    assert not is_valid("Job", {key: value for key, value in JOB.items() if key != name})


def test_statuses_counts_and_media_are_described_as_they_are() -> None:
    assert SCHEMAS["JobStatus"]["enum"] == list(JobStatus)
    assert SCHEMAS["StatusGroup"]["enum"] == list(STATUS_GROUPS)
    assert set(SCHEMAS["Counts"]["properties"]) == set(SCHEMAS["Counts"]["required"]) == {"all", *STATUS_GROUPS}
    urls = {name for name in SCHEMAS["Media"]["properties"] if name.endswith("_url")}
    assert urls == {f"{shown.value}_url" for shown in ALL_SHOWN}


class Unasked:
    """Query parameters without any values. Records which names are read."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def getlist(self, key: str) -> list[str]:
        self.names.add(key)
        return []


def test_every_query_parameter_of_the_list_is_described_and_no_other() -> None:
    parameters = Unasked()
    ListQuery.parse(parameters, "me")
    assert set(QUERY) - {"confirm"} == parameters.names
    for method in ("get", "head"):
        listed = DESCRIPTION["paths"]["/jobs"][method]["parameters"]
        names = {PARAMETERS[one["$ref"].rpartition("/")[2]]["name"] for one in listed}
        assert names == {*parameters.names, "If-None-Match"}


@pytest.mark.parametrize("name", ["page_size", "page"])
def test_numbers_are_described_with_their_limits(name: str) -> None:
    described = QUERY[name]
    limits = (described["minimum"], described["maximum"])
    assert getattr(parse(), name) == described["default"]
    assert tuple(getattr(parse(**{name: str(limit)}), name) for limit in limits) == limits
    for beyond in (limits[0] - 1, limits[1] + 1):
        with pytest.raises(BadRequest, match=name):
            parse(**{name: str(beyond)})


def test_what_can_be_included_is_described() -> None:
    assert tuple(QUERY["include"]["items"]["enum"]) == pagination._INCLUDED
    query = parse(include=",".join(QUERY["include"]["items"]["enum"]))
    assert (query.with_media, query.with_counts) == (True, True)


def test_a_cursor_is_described_as_long_as_it_may_be() -> None:
    assert QUERY["cursor"]["maxLength"] == pagination._LONGEST_CURSOR


@pytest.mark.parametrize("name", ["status", "include", "ids"])
def test_a_list_is_described_as_of_one_or_more_with_commas_between(name: str) -> None:
    assert (PARAMETERS[name]["explode"], QUERY[name]["minItems"]) == (False, 1)
    with pytest.raises(BadRequest, match=name):
        parse(**{name: ""})


def test_texts_are_described_as_long_as_they_may_be() -> None:
    assert SCHEMAS["OptionalText"]["maxLength"] == documents._LONGEST_TEXT
    assert f"to {LONGEST_LISTED_TEXT:,} characters" in SCHEMAS["FreeText"]["description"]


def test_no_more_ids_are_described_than_are_taken() -> None:
    ids = [f"job-{number}" for number in range(QUERY["ids"]["maxItems"])]
    assert parse(ids=",".join(ids)).ids == tuple(ids)
    with pytest.raises(BadRequest, match="ids"):
        parse(ids=",".join([*ids, "one-more"]))


@pytest.mark.parametrize("text", ["a", "A_b-9", "a" * 128, "a" * 129, "", "a.b", "a/b", "é", "a\n"])
def test_an_id_is_described_as_what_could_be_one(text: str) -> None:
    assert is_valid("JobId", text) == is_job_id(text)
