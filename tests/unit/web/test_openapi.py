"""The description of the API matches the functions: neither has anything that the other lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from unittest.mock import Mock

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from shared.access.visitors import BURST
from shared.errors import PROBLEMS, ApiError, JobFull, RequestTimeout, Unavailable
from shared.web.bodies import Body
from shared.web.endpoint import HttpFunction
from tests.calls import call
from tests.enumerated import FOUND, Functions, operations
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, deleted, document, entry
from tests.openapi import described_api

API = described_api()
DESCRIPTION: dict[str, Any] = API.raw_schema
SCHEMAS: dict[str, dict[str, Any]] = DESCRIPTION["components"]["schemas"]
OPERATIONS: dict[tuple[str, str], dict[str, Any]] = {
    (path, method.upper()): operation
    for path, operations in DESCRIPTION["paths"].items()
    for method, operation in operations.items()
    if method != "parameters"
}
PROBLEM_KINDS = {kind.__name__: kind for kind in ApiError.__subclasses__()}
every_operation = pytest.mark.parametrize(("path", "method"), OPERATIONS)


def endpoints(functions: Functions) -> dict[tuple[str, str], HttpFunction]:
    """The functions' HTTP operations, by path and method. If two share a path, either answers its preflight.

    Pages for people, and the media that they show, are not part of the API.
    """
    of_the_api = [one for one in operations(functions) if not one.path.startswith("/v/")]
    return {(one.path, method): one.endpoint for one in of_the_api for method in (one.method, "OPTIONS")}


def mappings(node: object) -> Iterator[dict[str, Any]]:
    """All mappings in `node`, including itself."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from mappings(one)


ENDPOINTS = endpoints(FOUND)
SHORT_IDS = {"completed": "25ca1d0f", "queued": "aaaaaaaa", "gone": "bbbbbbbb", "unknown": "ffffffff"}
IMAGES = SETTINGS.images_bucket
REMOVED = {"objects": 1, "bytes": 7, "removed_at": NOW, "proved_empty_at": NOW}
REQUESTS: dict[str, dict[str, Any]] = {
    "as it should be": {},
    "of what the caller has": {"headers": {"If-None-Match": "*"}},
    "with a bad query": {"query": "page=0"},
    "with a bad body": {"body": {"name": ""}},
    "for a job without a link": {"job_id": "unshared"},
    "with a body that comes too late": {"late": True},
    "for a job without room": {"full": True},
    "without a token": {"user": None},
    "for a job that is not there": {"job_id": "unknown"},
    "with another number of jobs": {"query": "confirm=7"},
    "for a job under way": {"job_id": "queued"},
    "for a job that is gone for good": {"job_id": "gone"},
    "for deleted jobs": {"query": "deleted=true"},
    "by another method": {"method": "PUT"},
    "too often": {"times": BURST + 1},
    "in a failure": {"error": RuntimeError()},
    "in an outage": {"error": Unavailable("The sign-in service")},
}
"""Requests and failures. Together they produce every status."""


def test_the_description_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(cast(Any, DESCRIPTION)).validate()


def test_nothing_stands_beside_a_reference_which_generated_clients_would_drop() -> None:
    assert [one for one in mappings(DESCRIPTION) if "$ref" in one and len(one) > 1] == []


def test_every_path_and_method_of_the_functions_is_described_and_no_other() -> None:
    assert OPERATIONS.keys() == ENDPOINTS.keys()


@pytest.mark.slow
@every_operation
def test_every_answer_is_as_described_and_no_other_is_described(path: str, method: str) -> None:
    statuses = set()
    for request in REQUESTS.values():
        if method == "OPTIONS" and "method" in request:
            continue  # this would not be a preflight
        services = FakeServices(replace(SETTINGS, requests_per_minute=BURST))
        for status in ("completed", "queued"):
            made = {"status": status, "short_id": SHORT_IDS[status]}
            services.add(status, document("me", output_video_path="me/completed/output.mp4", **made))
            services.fake_shares.links[SHORT_IDS[status]] = status
            services.fake_ledger.entries[status] = entry("me", state="restored", buckets={IMAGES: REMOVED})
        long_ago = NOW - timedelta(days=30)
        services.add("gone", deleted("me", deleted_at=long_ago))
        emptied = {**REMOVED, "first_removed_at": long_ago, "removed_at": long_ago}
        services.fake_ledger.entries["gone"] = entry(
            "me", state="done", requested_at=long_ago, buckets={IMAGES: emptied}
        )
        services.add("deleted", deleted("me"))
        services.fake_ledger.entries["deleted"] = entry("me")
        if path.endswith("/restore"):
            services.deletions.mark("me", "completed", NOW)
            del services.fake_ledger.entries["queued"]
        if "job_id" not in request:
            services.erasures.request("me", 2, None, by="me", now=long_ago)
        query = "confirm=2" if (method, path) == ("DELETE", "/jobs") else ""
        options = {"method": method, "job_id": "completed", "query": query, "error": None, "times": 1, **request}
        if path.endswith("/share"):
            services.add("unshared", document("me"))
        if method in ("PATCH", "POST") and not path.endswith("/restore"):
            body = {"expires_at": None} if path.endswith("/share") else {"name": "First try"}
            options.setdefault("body", body)
        services.fake_verifier.error = services.fake_shares.error = options.pop("error")
        job_id = options.pop("job_id")
        ids = {"short_id": SHORT_IDS.get(job_id, "cccccccc")} if "{short_id}" in path else {"job_id": job_id}
        address = f"{path.format(**ids)}?{options.pop('query')}"
        with pytest.MonkeyPatch.context() as patch:
            if options.pop("late", False):
                patch.setattr(Body, "_taken", Mock(side_effect=RequestTimeout))
            if options.pop("full", False):
                for owner, name in (
                    (services.renaming, "rename"),
                    (services.shares, "renew"),
                    (services.shares, "change"),
                    (services.shares, "revoke"),
                ):
                    patch.setattr(owner, name, Mock(side_effect=JobFull))
            for _ in range(options.pop("times")):
                answer = call(ENDPOINTS[path, method], services, address, **options)
        API[path][method].Case(path_parameters=ids).validate_response(answer)
        statuses.add(str(answer.status_code))
    assert statuses == set(OPERATIONS[path, method]["responses"])


@every_operation
def test_all_but_a_preflight_needs_a_token(path: str, method: str) -> None:
    security = OPERATIONS[path, method].get("security", DESCRIPTION["security"])
    public = method == "OPTIONS" or path.startswith("/public/")
    assert security == ([] if public else [{"idToken": []}])


def test_every_kind_of_problem_is_described_and_no_other() -> None:
    described = {
        name: {key: field["const"] for key, field in schema["properties"].items() if "const" in field}
        for name, schema in SCHEMAS.items()
        if schema.get("allOf") == [{"$ref": "#/components/schemas/Problem"}]
    }
    assert described == {
        name: {"type": PROBLEMS + kind.kind, "title": kind.title, "status": kind.status}
        for name, kind in PROBLEM_KINDS.items()
    }


@every_operation
def test_a_status_of_an_error_is_described_as_its_kind_of_problem(path: str, method: str) -> None:
    kinds = {(str(kind.status), f"#/components/responses/{name}") for name, kind in PROBLEM_KINDS.items()}
    for status, response in OPERATIONS[path, method]["responses"].items():
        assert status < "400" or (status, response["$ref"]) in kinds
