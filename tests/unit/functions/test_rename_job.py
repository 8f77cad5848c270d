"""How an owner names a job, and where the name is seen, with fakes."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.get_output import get_output
from functions.list_jobs import list_jobs
from functions.rename_job import rename_job
from functions.share_video import share_video
from tests.calls import call
from tests.fakes import FakeServices
from tests.jobs import deleted, document
from tests.visits import saved_as

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def services() -> FakeServices:
    made = FakeServices()
    made.add("job-1", document("me", short_id="25ca1d0f", output_video_path="me/job-1/output.mp4"))
    made.fake_shares.links["25ca1d0f"] = "job-1"
    return made


def rename(services: FakeServices, body: object, job_id: str = "job-1", **options: Any) -> Any:
    return call(rename_job, services, f"/jobs/{job_id}", method="PATCH", body=body, **options)


def test_a_name_comes_back_in_the_job_and_is_in_all_that_shows_it_until_it_is_taken_away(
    services: FakeServices,
) -> None:
    for name in ("First try", None):
        answer = rename(services, {"name": name})
        assert (answer.status_code, answer.json["id"], answer.json["name"]) == (200, "job-1", name)
        assert call(list_jobs, services, "/jobs/job-1").json == answer.json
        for query in ("", "?ids=job-1", "?id_prefix=job", "?status=completed"):
            listed: Any = call(list_jobs, services, f"/jobs{query}").json
            assert listed["jobs"] == [answer.json]
    assert services.fake_repository.documents["job-1"]["name_folded"] is None


def test_a_job_is_found_by_how_its_name_begins_however_it_is_written(services: FakeServices) -> None:
    rename(services, {"name": "Élan vital"})
    for prefix, total in (("É", 1), ("%C3%A9lan", 1), ("ELAN", 0), ("E", 1), ("vital", 0), ("élan vital!", 0)):
        found: Any = call(list_jobs, services, f"/jobs?name_prefix={prefix}").json
        assert (len(found["jobs"]), found["total"]) == (total, total), prefix


def test_the_name_that_a_job_has_is_not_written_again(services: FakeServices) -> None:
    rename(services, {"name": "First try"})
    written = dict(services.fake_repository.documents["job-1"])
    assert rename(services, {"name": " First try "}).status_code == 200
    assert services.fake_repository.documents["job-1"] == written


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The body is not JSON"),
        (b"name", "The body is not JSON"),
        (b'{"name": "a"', "The body is not JSON"),
        (b'{"name": "a"}{}', "The body is not JSON"),
        (b'{"name": NaN}', "The body is not JSON"),
        (b'{"name": "\xff"}', "The body is not JSON"),
        (b'\xef\xbb\xbf{"name": "a"}', "The body is not JSON"),
        (b'{"name": ' + b"[" * 4000, "The body is"),
        (b'{"name": "a", "name": "a"}', "The body holds something twice"),
        (b'{"name": {"a": 1, "a": 1}}', "The body holds something twice"),
        (b'{"name": "a"}' + b" " * 4084, "The body must have at most 4096 bytes"),
        (b'{"name": "' + b"a" * 100_000 + b'"}', "The body must have at most 4096 bytes"),
        ([], "The body must be an object"),
        ("a", "The body must be an object"),
        ({}, "name is missing"),
        ({"name": "a", "status": "failed"}, "The body must hold name and nothing else"),
        ({"Name": "a"}, "The body must hold name and nothing else"),
        ({"name": 7}, "name must be a text"),
        ({"name": ["a"]}, "name must be a text"),
        ({"name": {"name": "a"}}, "name must be a text"),
        ({"name": False}, "name must be a text"),
        ({"name": ""}, "name must show something"),
        ({"name": "a" * 81}, "name must have at most 80 characters; this one has 81"),
        ({"name": "a\nb"}, "name must not contain control characters"),
        (b'{"name": "\\ud800"}', "name must not contain control characters"),
    ],
)
def test_a_bad_body_changes_nothing_and_is_told_what_is_wrong(
    services: FakeServices, body: object, says: str
) -> None:
    before = dict(services.fake_repository.documents["job-1"])
    answer = rename(services, body, headers=JSON)
    assert (answer.status_code, answer.json["detail"][: len(says)]) == (400, says)
    assert services.fake_repository.documents["job-1"] == before


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/json; charset=latin-1", "application/jsonp", "json"]
)
def test_a_body_of_another_type_is_refused(services: FakeServices, kind: str) -> None:
    answer = rename(services, b'{"name": "a"}', headers={"Content-Type": kind})
    assert (answer.status_code, "application/json" in answer.json["detail"]) == (400, True)
    assert ("charset must be utf-8" in answer.json["detail"]) == ("charset" in kind)


@pytest.mark.parametrize(
    "kind",
    [
        *("application/json", "Application/JSON; Charset=UTF-8", "application/json; charset=utf8"),
        *('application/json;charset="utf-8"', 'application/json; charset="UTF8"'),
    ],
)
def test_a_body_of_just_the_size_that_is_allowed_is_taken(services: FakeServices, kind: str) -> None:
    body = b'{"name": "a"}'.ljust(4096)
    assert rename(services, body, headers={"Content-Type": kind}).json["name"] == "a"


def test_neither_the_name_nor_anything_else_of_the_body_is_logged(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "nuumee"):
        for body in ({"name": "swordfish"}, {"swordfish": 1}, b'{"swordfish": 1, "swordfish": 1}', b"swordfish"):
            rename(services, body, headers=JSON)
    assert [record.getMessage() for record in caplog.records] == ["job_renamed", *["request"] * 4]
    assert "swordfish" not in str([vars(record) for record in caplog.records])


def test_nobody_elses_and_no_deleted_job_gets_a_name(services: FakeServices) -> None:
    services.add("foreign", document("you"))
    services.add("gone", deleted("me"))
    for job_id in ("foreign", "gone", "unknown", ".."):
        assert rename(services, {"name": "Mine"}, job_id).status_code == 404
    assert not any("name" in one for one in services.fake_repository.documents.values())


def test_a_download_is_saved_under_the_name_and_a_shared_one_is_not(services: FakeServices) -> None:
    rename(services, {"name": "Tür 1/2"})
    output: Any = call(get_output, services, "/jobs/job-1/output").json
    assert output["filename"] == "nuumee-Tür 1_2.mp4"
    shared: Any = call(share_video, services, "/public/video/25ca1d0f", user=None)
    page = call(share_video, services, "/v/25ca1d0f", user=None)
    assert "Tür" not in shared.text + page.text
    assert saved_as(services) == 'attachment; filename="nuumee-job-1.mp4"'


def test_the_url_of_a_download_carries_the_name_for_old_and_new_browsers(services: FakeServices) -> None:
    del services.__dict__["media"]
    rename(services, {"name": "Tür 100%"})
    url = call(get_output, services, "/jobs/job-1/output").json["download_url"]  # type: ignore[index]
    (disposition,) = parse_qs(urlsplit(url).query)["response-content-disposition"]
    assert disposition == (
        "attachment; filename=\"nuumee-T_r 100_.mp4\"; filename*=UTF-8''nuumee-T%C3%BCr%20100%25.mp4"
    )
