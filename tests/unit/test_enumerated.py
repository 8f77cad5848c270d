"""A function that is missing from a table or a test is noticed. Shown with functions that appear nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infra.functions import EVERY_MINUTE, Role, Route, Table, table
from infra.local.gateway import upstream_for
from infra.stage import ROOT
from shared.access.user import User
from shared.messaging.events import JobDeleted
from shared.messaging.subscriber import Subscriber, subscriber
from shared.services import Services
from shared.web.endpoint import Endpoint, HttpFunction, Request, endpoint
from shared.web.public_endpoint import PublicEndpoint, Visit, public_endpoint
from tests.enumerated import (
    FOUND,
    Functions,
    Operation,
    about_one_thing,
    consumers,
    disagreements,
    for_users,
    operations,
)


def new_endpoint(*, check_revoked: bool = False, signs: bool = False) -> Endpoint:
    @endpoint("GET", "/jobs/{job_id}/stub", check_revoked=check_revoked, signs=signs)
    def stub(request: Request, user: User, services: Services) -> dict[str, Any]:
        return {}

    return stub


def new_public_endpoint() -> PublicEndpoint:
    @public_endpoint("/stub/{short_id}")
    def stub(visit: Visit, services: Services) -> dict[str, Any]:
        return {}

    return stub


def new_consumer() -> Subscriber[JobDeleted]:
    @subscriber(JobDeleted)
    def stub(event: JobDeleted, services: Services) -> None:
        pass

    return stub


def only_row(**changes: Any) -> Table:
    """A table with only a row for the stub: get_output's row with changes."""
    row = replace(table().functions["get_output"], **{"name": "stub", "signs": False, **changes})
    return replace(table(), functions={"stub": row})


ROUTES = (Route("GET", "/jobs/{job_id}/stub"),)
ALL_STUBS: Functions = {
    "stub": new_endpoint(),
    "public_stub": new_public_endpoint(),
    "background_stub": new_consumer(),
}


def astray(found: list[Operation]) -> list[str]:
    """Operations that the gateway sends to the wrong function, or whose preflight it does."""
    return [
        f"{one}"
        for one in found
        for path in (one.path, f"/api/v1{one.path}")
        if {upstream_for(one.method, path, None), upstream_for("OPTIONS", path, one.method)} != {one.function}
    ]


def test_every_file_is_a_function() -> None:
    assert len(FOUND) == len(list((ROOT / "functions").glob("*.py"))) - 1
    assert len(consumers(FOUND)) + len({one.function for one in operations(FOUND)}) == len(FOUND)


def test_the_table_says_what_the_code_says() -> None:
    assert disagreements(FOUND, table()) == []


def test_the_functions_that_sign_urls_are_those_that_use_the_media_store() -> None:
    sources = {name: (ROOT / "functions" / f"{name}.py").read_text() for name in FOUND}
    assert {name for name, source in sources.items() if "services.media" in source} == {
        name for name, function in FOUND.items() if isinstance(function, HttpFunction) and function.signs
    }


@pytest.mark.parametrize("stub", [new_endpoint(), new_public_endpoint(), new_consumer()])
def test_a_function_without_a_row_is_noticed(stub: Endpoint | PublicEndpoint | Subscriber[Any]) -> None:
    assert disagreements({"stub": stub}, replace(table(), functions={})) == ["stub has no row"]


def test_a_row_without_a_function_is_noticed() -> None:
    assert disagreements({}, only_row(routes=ROUTES)) == ["stub has no file"]


@pytest.mark.parametrize(
    ("stub", "row", "said"),
    [
        (new_endpoint(), {}, "stub has other routes"),
        (new_endpoint(), {"routes": (*ROUTES, Route("POST", "/stub"))}, "stub has other routes"),
        (new_endpoint(), {"routes": ROUTES, "public": True}, "stub is public in one of the two"),
        (
            new_endpoint(check_revoked=True),
            {"routes": ROUTES},
            "stub checks for revoked sessions, or has the role for that, but not both",
        ),
        (
            new_endpoint(),
            {"routes": ROUTES, "roles": (Role("roles/firebaseauth.viewer", "project"),)},
            "stub checks for revoked sessions, or has the role for that, but not both",
        ),
        (new_endpoint(), {"routes": ROUTES, "signs": True}, "stub signs URLs in one of the two"),
        (new_endpoint(signs=True), {"routes": ROUTES}, "stub signs URLs in one of the two"),
        (
            new_public_endpoint(),
            {"routes": (Route("GET", "/stub/{short_id}"),)},
            "stub is public in one of the two",
        ),
        (
            new_consumer(),
            {"routes": (), "topic": EVERY_MINUTE},
            "stub gets other messages than it consumes",
        ),
    ],
)
def test_a_row_that_says_something_else_is_noticed(stub: Any, row: dict[str, Any], said: str) -> None:
    assert disagreements({"stub": stub}, only_row(**row)) == [said]


@pytest.mark.parametrize(
    ("stub", "row"),
    [
        (new_endpoint(), {"routes": ROUTES}),
        (new_endpoint(signs=True), {"routes": ROUTES, "signs": True}),
        (new_consumer(), {"routes": (), "topic": "job_deleted_topic", "retry": True}),
    ],
)
def test_a_sound_row_is_accepted(stub: Any, row: dict[str, Any]) -> None:
    assert disagreements({"stub": stub}, only_row(**row)) == []


def test_a_new_function_is_met_by_the_tests_of_all_functions() -> None:
    assert [str(one) for one in for_users(ALL_STUBS)] == ["GET /jobs/{job_id}/stub"]
    assert [str(one) for one in about_one_thing(ALL_STUBS)] == ["GET /jobs/{job_id}/stub", "GET /stub/{short_id}"]
    assert consumers(ALL_STUBS) == [ALL_STUBS["background_stub"]]


def test_what_answers_without_a_token_is_under_the_public_paths() -> None:
    public = {one.path for one in operations(FOUND) if isinstance(one.endpoint, PublicEndpoint)}
    assert all(path.startswith(("/v/", "/public/")) for path in public)


def test_the_gateway_sends_every_request_to_its_function() -> None:
    assert astray(operations(FOUND)) == []


def test_a_route_that_the_gateway_does_not_know_is_noticed() -> None:
    lost = ["HEAD /jobs/{job_id}/stub", "HEAD /stub/{short_id}"]
    assert {*lost} <= {*astray(operations(ALL_STUBS))}
