"""Answers of the functions to requests that schemathesis generates from the description of the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import schemathesis
from google.cloud import firestore
from schemathesis.core.transport import Response
from schemathesis.schemas import BaseSchema

from infra.local.stack import Stack
from infra.local.users import Account, Users
from shared.deletion.erasures import Erasures
from shared.jobs.job import JobStatus
from tests.conftest import PASSWORD
from tests.fake_firestore import SWEEP_AFTER
from tests.jobs import NOW, document, entry
from tests.openapi import described_api

TYPES = ("animate", "extend", "upscale", "foley", "subtitles", "watermark")
KEPT = [*(f"kept-{kind}" for kind in (*JobStatus, *TYPES)), "kept-foreign", "kept-bare", "kept-damaged"]
DOOMED = [f"doomed-{number}" for number in range(20)]
SHARED = "5ca1ab1e"
SEEN_AT_LEAST = {
    "GET /jobs": {200, 304, 400},
    "DELETE /jobs": {400, 409},
    "GET /jobs/erasure": {200, 304},
    "GET /jobs/{job_id}": {200, 304, 404},
    "GET /jobs/{job_id}/deletion": {200, 304, 404},
    "GET /jobs/{job_id}/thumbnails": {200, 304, 404},
    "GET /jobs/{job_id}/output": {200, 404, 409},
    "PATCH /jobs/{job_id}": {200, 400, 404},
    "DELETE /jobs/{job_id}": {202, 404},
    "POST /jobs/{job_id}/restore": {202, 404, 409},
    "POST /jobs/{job_id}/share": {400, 404, 409},
    "PATCH /jobs/{job_id}/share": {400, 404, 409},
    "DELETE /jobs/{job_id}/share": {200, 404},
    "GET /public/video/{short_id}": {200, 404},
}
"""A run without these statuses would prove nothing. HEAD has those of GET; a preflight has only one."""


def api(ids: list[str], *, edges: bool = True) -> BaseSchema:
    """The API, with some of `ids` among the generated values, because no generator would guess one.

    Besides random requests there are some at the `edges` of what is described, and beyond them.
    """
    return described_api(
        "not_a_server_error",
        "unsupported_method",
        "ignored_auth",
        generation={"deterministic": True, "max-examples": 15},
        phases={"coverage": {"enabled": edges, "unexpected-methods": ["POST", "PUT", "PATCH", "DELETE"]}},
        dictionaries={
            "ids": {"values": ids},
            "shared": {"values": [SHARED]},
            "numbers": {"values": [1_000_000]},
            "tags": {"values": ["*", 'W/"0"', '"0", "1"', '"', "no tag"]},
        },
        parameters={
            "path.job_id": {"dictionary": "ids", "probability": 0.7},
            "path.short_id": {"dictionary": "shared", "probability": 0.5},
            "query.confirm": {"dictionary": "numbers", "probability": 0.5},
            "query.id_prefix": {"dictionary": "ids", "probability": 0.1},
            "header.If-None-Match": {"dictionary": "tags", "probability": 0.2},
        },
    )


READING, DELETING, HEADS = api(KEPT), api(DOOMED), api(KEPT, edges=False)
"""HEAD is GET without the body, as tests/unit/web/test_endpoint.py shows: the edges are the same."""
OPERATIONS = [
    f"{method.upper()} {path}"
    for path, operations in READING.raw_schema["paths"].items()
    for method in operations
    if method != "parameters"
]


@pytest.fixture(scope="module")
def owner(stack: Stack, users: Users, database: firestore.Client) -> Account:
    """A user with jobs of every status and type and with every medium, jobs to delete, and some odd ones."""
    account = users.add("described", "described@nuumee.test", PASSWORD)
    mine = account.user_id
    folder = f"{mine}/kept-completed"
    full = {
        "short_id": "70 eb/9a",
        "name": "Kept for good",
        "name_folded": "kept for good",
        "reference_image_path": f"{folder}/reference.png",
        "motion_video_path": f"{folder}/motion.mp4",
        "source_job_id": "kept-completed",
        "input_video_path": f"{folder}/output.mp4",
        "output_video_path": f"{folder}/output.mp4",
        "extension_prompt": "And then?",
        "credits_charged": 2.5,
        "credits_refunded": 2.5,
        "error_message": "No.",
    }
    documents = {
        **{f"kept-{status}": document(mine, **full, status=status) for status in JobStatus},
        **{f"kept-{kind}": document(mine, **full, job_type=kind) for kind in TYPES},
        **{job_id: document(mine, status=list(JobStatus)[n % 5]) for n, job_id in enumerate(DOOMED)},
        "shared": document(mine, output_video_path=f"{folder}/output.mp4", short_id=SHARED),
        "kept-foreign": document("somebody-else"),
        "kept-bare": {"user_id": mine},
        "kept-damaged": document(mine, status="dreaming", job_type=7, seed=1.5, view_count="many"),
    }
    batch = database.batch()
    for job_id, fields in documents.items():
        batch.set(database.collection("jobs").document(job_id), fields)
    buckets = {name: {"objects": 1, "bytes": 7, "removed_at": NOW} for name in stack.settings.buckets}
    for state, changes in (
        ("pending", {"left": [f"images/{folder}/x.png"]}),
        ("completed", {"state": "restored", "buckets": buckets}),
    ):
        batch.set(database.collection("deletions").document(f"kept-{state}"), entry(mine, **changes))
    batch.set(database.collection("short_links").document(SHARED), {"job_id": "shared"})
    batch.commit()
    # So long ago that it deletes none of these jobs.
    Erasures(database, SWEEP_AFTER).request(mine, 0, None, by=mine, now=NOW - timedelta(days=900))
    return account


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as connections:
        connections.trust_env = False  # it would look for proxies in the environment at each request
        yield connections


@pytest.fixture
def seen() -> Iterator[dict[str, set[int]]]:
    """The statuses seen for each operation. In the end they must include those of SEEN_AT_LEAST."""
    statuses: dict[str, set[int]] = {}
    yield statuses
    for operation, found in statuses.items():
        assert found >= SEEN_AT_LEAST.get(operation.replace("HEAD", "GET"), {204}), operation


def answer_is_as_described(
    case: schemathesis.Case[Any],
    stack: Stack,
    owner: Account,
    session: requests.Session,
    seen: dict[str, set[int]],
) -> None:
    headers = {"Authorization": f"Bearer {owner.token}"}
    answer = case.call_and_validate(stack.url, session=session, headers=headers)
    seen.setdefault(case.operation.label, set()).add(answer.status_code)


for operation in OPERATIONS:
    # Each operation needs a test with its own name: if several share a name, pytest-xdist runs only one.
    name = re.sub(r"\W+", "_", operation).strip("_").lower()
    answered = HEADS if operation.startswith("HEAD") else READING
    described = (DELETING if operation == "DELETE /jobs/{job_id}" else answered).include(name=operation)
    globals()[f"test_every_answer_is_as_described_{name}"] = described.parametrize()(answer_is_as_described)


def test_links_that_end_and_that_stay_are_as_described(stack: Stack, owner: Account) -> None:
    headers = {"Authorization": f"Bearer {owner.token}"}
    for method, end in (("POST", None), ("PATCH", "2100-01-01T00:00:00Z"), ("POST", "2100-01-01T00:00:00Z")):
        case = READING["/jobs/{job_id}/share"][method].Case(
            path_parameters={"job_id": "kept-upscale"}, body={"expires_at": end}, media_type="application/json"
        )
        answer = case.call_and_validate(stack.url, headers=headers)
        assert (answer.status_code, answer.json()["expires_at"]) == (200, end)


PATHS = READING.raw_schema["paths"].items()
JOBS_OWN = [path for path, methods in PATHS if "{job_id}" in path and "get" in methods]


@pytest.mark.parametrize("path", JOBS_OWN)
def test_what_is_told_of_every_kind_of_job_is_as_described(stack: Stack, owner: Account, path: str) -> None:
    headers = {"Authorization": f"Bearer {owner.token}"}
    for job_id in KEPT:
        case = READING[path]["GET"].Case(path_parameters={"job_id": job_id})
        case.call_and_validate(stack.url, headers=headers)


def asked_twice(case: schemathesis.Case[Any], stack: Stack, headers: dict[str, str]) -> tuple[Response, Response]:
    """The answer, and the one to the same request with the tag of the first."""
    answer = case.call_and_validate(stack.url, headers=headers)
    return answer, case.call_and_validate(
        stack.url, headers={**headers, "If-None-Match": answer.headers["etag"][0]}
    )


@pytest.mark.parametrize("size", [7, 100])
def test_pages_with_all_that_can_be_asked_for_are_as_described(stack: Stack, owner: Account, size: int) -> None:
    headers = {"Authorization": f"Bearer {owner.token}"}
    for search in (
        {"status": "completed,failed"},
        {"status": "other"},
        {"type": ",".join(TYPES), "sort": "oldest", "created_after": "2026-01-01T00:00:00Z"},
        {"id_prefix": "kept-"},
        {"name_prefix": "KEPT"},
        {"ids": ",".join(KEPT)},
        {},
    ):
        query: dict[str, str | int] = {**search, "page_size": size, "include": "media,counts"}
        shown = pardoned = 0
        while True:
            case = READING["/jobs"]["GET"].Case(query=query)
            answer, unchanged = asked_twice(case, stack, headers)
            if unchanged.status_code == 200:  # between the two, views were counted or the time of the URLs ended
                pardoned += 1
                answer, unchanged = asked_twice(case, stack, headers)
            page = answer.json()
            assert (answer.status_code, "counts" in page) == (200, True)
            assert all("media" in job for job in page["jobs"])
            shown += len(page["jobs"])
            assert unchanged.status_code == 304
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert shown == page["total"] > 0
        assert pardoned <= 1


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if not one.startswith("OPTIONS") and " /public/" not in one]
)
def test_a_caller_without_a_token_is_refused_as_described(stack: Stack, operation: str) -> None:
    method, path = operation.split()
    case = READING[path][method].Case(path_parameters={"job_id": KEPT[0]})
    assert case.call_and_validate(stack.url).status_code == 401
