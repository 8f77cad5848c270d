"""How an owner renews and ends a job's link, with fakes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from functions.share_job import share_job
from tests.calls import call
from tests.fakes import FakeServices
from tests.jobs import document


@pytest.fixture
def services() -> FakeServices:
    made = FakeServices()
    made.add("job-1", document("me", short_id="25ca1d0f"))
    made.fake_shares.links["25ca1d0f"] = "job-1"
    return made


def send(services: FakeServices, method: str, **options: Any) -> Any:
    return call(share_job, services, "/jobs/job-1/share", method=method, **options)


def test_a_new_link_is_given_with_its_address(services: FakeServices) -> None:
    answer = send(services, "POST")
    assert answer.status_code == 200
    short_id = answer.json["short_id"]
    assert re.fullmatch("[0-9a-f]{8}", short_id)
    assert short_id != "25ca1d0f"
    url = f"https://nuumee.ai/v/{short_id}"
    assert answer.json == {"job_id": "job-1", "short_id": short_id, "share_url": url, "expires_at": None}
    assert services.fake_repository.documents["job-1"]["short_id"] == short_id


def test_a_script_that_makes_link_after_link_is_stopped_and_told_until_when(services: FakeServices) -> None:
    answers = [send(services, "POST") for _ in range(120)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 110
    assert answers[-1].headers["Retry-After"] == "3600"
    assert answers[-1].json["detail"] == (
        "This job has had many new links lately. The next can be made in 60 minutes."
    )
    assert len(services.fake_shares.links) == 1 + 10
    assert send(services, "DELETE").status_code == 200


def test_a_link_can_be_ended_again_and_again(services: FakeServices) -> None:
    for _ in range(2):
        answer = send(services, "DELETE")
        assert answer.status_code == 200
        assert answer.json == {"job_id": "job-1", "short_id": None, "share_url": None, "expires_at": None}


def test_a_job_under_way_has_nothing_to_share(services: FakeServices) -> None:
    services.add("job-1", document("me", status="processing"))
    answer = send(services, "POST")
    assert (answer.status_code, answer.json["current_status"]) == (409, "processing")


def test_a_session_that_was_revoked_changes_no_link(services: FakeServices) -> None:
    send(services, "POST")
    send(services, "DELETE")
    assert services.fake_verifier.checked_revocation == [False, True] * 2


def test_the_three_methods_are_named_to_who_tries_another(services: FakeServices) -> None:
    answer = send(services, "GET")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, PATCH, DELETE, OPTIONS")
    answer = send(services, "OPTIONS", user=None)
    assert (answer.status_code, answer.headers["Allow"]) == (204, "POST, PATCH, DELETE, OPTIONS")
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PATCH, DELETE"
