"""How an owner renews and ends a job's link, with fakes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from functions.list_jobs import list_jobs
from functions.share_job import share_job
from tests.calls import call
from tests.fakes import FakeServices
from tests.jobs import NOW, document


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
    assert answer.json == {
        "job_id": "job-1",
        "short_id": short_id,
        "share_url": url,
        "expires_at": None,
        "share_name": False,
    }
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
        assert answer.json == {
            "job_id": "job-1",
            "short_id": None,
            "share_url": None,
            "expires_at": None,
            "share_name": False,
        }


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


TOMORROW = "2026-11-23T12:07:30.250000Z"


def test_a_new_link_may_have_an_end_date(services: FakeServices) -> None:
    answer = send(services, "POST", body={"expires_at": "2026-11-23T13:07:30.25+01:00"})
    assert (answer.status_code, answer.json["expires_at"]) == (200, TOMORROW)
    assert services.fake_repository.documents["job-1"]["share_expires_at"] == NOW + timedelta(days=1)
    assert send(services, "POST").json["expires_at"] is None, (
        "a link without a date takes the place of one with it"
    )


def test_the_end_of_a_link_can_be_set_and_taken_back(services: FakeServices) -> None:
    answer = send(services, "PATCH", body={"expires_at": TOMORROW})
    url = "https://nuumee.ai/v/25ca1d0f"
    share = {"job_id": "job-1", "short_id": "25ca1d0f", "share_url": url, "share_name": False}
    assert answer.json == {**share, "expires_at": TOMORROW}
    job: Any = call(list_jobs, services, "/jobs/job-1")
    assert job.json["share_expires_at"] == TOMORROW
    assert send(services, "PATCH", body={"expires_at": None}).json["expires_at"] is None
    send(services, "PATCH", body={"expires_at": TOMORROW})
    assert send(services, "DELETE").json["expires_at"] is None


@pytest.mark.parametrize(
    "without",
    [
        {"short_id": None, "share_revoked_at": NOW},
        {"short_id": None},
        {"share_expires_at": NOW},
        {"share_expires_at": "tomorrow"},
        {"status": "processing"},
    ],
)
def test_what_has_no_link_that_works_gets_no_end_date(services: FakeServices, without: dict[str, Any]) -> None:
    services.fake_repository.documents["job-1"].update(without)
    answer = send(services, "PATCH", body={"expires_at": TOMORROW})
    assert (answer.status_code, answer.json["title"]) == (409, "Job not shared")


END_ONLY = "The body must hold expires_at and nothing else: a time, or null for a link that stays."
EITHER = "The body must hold expires_at, share_name or both, and nothing else."


@pytest.mark.parametrize(
    ("body", "new", "changed"),
    [
        ([], END_ONLY, EITHER),
        ({"name": "x"}, END_ONLY, EITHER),
        ({"expires_at": None, "name": "x"}, END_ONLY, EITHER),
        ({"expires_at": 7}, "expires_at must be a time or null.", None),
        ({"expires_at": "2026-11-23"}, "expires_at must be a time such as 2026-11-22T12:00:00Z", None),
        ({"expires_at": "2026-11-22T12:07:30.25Z"}, "expires_at must be in the future.", None),
        ({"share_name": None}, END_ONLY, "share_name must be true or false."),
        ({"share_name": 1, "expires_at": None}, END_ONLY, "share_name must be true or false."),
    ],
)
def test_a_wish_that_is_none_changes_nothing(
    services: FakeServices, body: Any, new: str, changed: str | None
) -> None:
    before = dict(services.fake_repository.documents["job-1"])
    for method, detail in (("POST", new), ("PATCH", changed or new)):
        answer = send(services, method, body=body)
        assert answer.status_code == 400
        assert answer.json["detail"].startswith(detail)
    assert services.fake_repository.documents["job-1"] == before


def test_an_empty_body_is_no_wish(services: FakeServices) -> None:
    before = dict(services.fake_repository.documents["job-1"])
    answer = send(services, "PATCH", body={})
    assert (answer.status_code, answer.json["detail"]) == (400, EITHER)
    assert services.fake_repository.documents["job-1"] == before
    known = {None, before["short_id"]}
    for body in (b"{}", b"null"):
        made = send(services, "POST", body=body, headers={"Content-Type": "application/json"})
        assert (made.status_code, made.json["expires_at"]) == (200, None)
        assert made.json["short_id"] not in known
        known.add(made.json["short_id"])


def test_the_name_on_the_share_page_is_wished_beside_the_end_or_alone(services: FakeServices) -> None:
    answer = send(services, "PATCH", body={"share_name": True})
    assert (answer.json["share_name"], answer.json["expires_at"]) == (True, None)
    answer = send(services, "PATCH", body={"expires_at": TOMORROW})
    assert (answer.json["share_name"], answer.json["expires_at"]) == (True, TOMORROW)
    job: Any = call(list_jobs, services, "/jobs/job-1")
    assert job.json["share_name"] is True
    answer = send(services, "PATCH", body={"share_name": False, "expires_at": None})
    assert (answer.json["share_name"], answer.json["expires_at"]) == (False, None)


def test_a_body_without_content_is_none(services: FakeServices) -> None:
    """The page sends Content-Type with every call."""
    answer = send(services, "POST", headers={"Content-Type": "application/json", "Content-Length": "0"})
    assert (answer.status_code, answer.json["expires_at"]) == (200, None)
    chunked = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    assert send(services, "POST", headers=chunked).status_code == 200
    assert send(services, "PATCH", headers=chunked).status_code == 400
    assert send(services, "PATCH").status_code == 400
