"""The five handlers with fakes: what each answers, and how it calls the services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_type_hints
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from werkzeug.exceptions import ServiceUnavailable

from functions.delete_job import delete_job
from functions.get_output import get_output
from functions.get_thumbnails import get_thumbnails
from functions.list_jobs import list_jobs
from functions.purge_job import purge_job
from shared.jobs.job import Job, Medium
from shared.messaging.events import JobDeleted
from tests.calls import call
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, deleted, document
from tests.messages import message

IMAGES, VIDEOS, OUTPUTS = SETTINGS.buckets
hostile_ids = st.one_of(
    st.sampled_from(
        [
            "..",
            ".",
            "",
            "%2e%2e",
            "%2f",
            "a%2fb",
            "a%2Fthumbnails",
            "%00",
            "%0a",
            "%ff",
            "%c3%28",
            "__all__",
            "%5F_x__",
        ]
    ),
    st.text(max_size=30).map(lambda text: quote(f"{text}/", safe="")),
    st.text(alphabet="é😀\u202e \t.;,:@!$&'()*+=~", min_size=1, max_size=30).map(
        lambda text: quote(text, safe="")
    ),
    st.just("a" * 129),
    st.just("a" * 10_000),
)


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


def test_a_page_has_the_shape_of_the_contract(services: FakeServices) -> None:
    for number in range(3):
        services.add(f"job-{number}", document("me"))
    body: Any = call(list_jobs, services, "/jobs?page_size=2").json
    assert set(body) == {"jobs", "total", "page", "page_size", "next_cursor"}
    assert [job["id"] for job in body["jobs"]] == ["job-0", "job-1"]
    assert (body["total"], body["page"], body["page_size"]) == (3, 1, 2)
    rest: Any = call(list_jobs, services, f"/jobs?page_size=2&cursor={body['next_cursor']}").json
    assert ([job["id"] for job in rest["jobs"]], rest["page"], rest["next_cursor"]) == (["job-2"], 2, None)


@pytest.mark.parametrize("name", ["name_prefix", "id_prefix", "status", "type", "ids", "cursor", "created_after"])
def test_a_parameter_that_is_not_utf_8_is_refused_and_an_unknown_one_is_not_looked_at(
    services: FakeServices, name: str
) -> None:
    answer: Any = call(list_jobs, services, f"/jobs?{name}=a%ff")
    assert (answer.status_code, answer.json["detail"]) == (400, f"{name} is not UTF-8.")
    assert call(list_jobs, services, "/jobs?utm_source=%ff").status_code == 200


def test_jobs_by_id_are_all_on_one_page_and_filtered_too(services: FakeServices) -> None:
    for number in range(30):
        services.add(f"job-{number}", document("me", status="queued" if number % 2 else "failed"))
    ids = ",".join(f"job-{number}" for number in range(30))
    body: Any = call(list_jobs, services, f"/jobs?ids={ids},unknown").json
    assert (len(body["jobs"]), body["total"], body["next_cursor"]) == (30, 30, None)
    body = call(list_jobs, services, f"/jobs?ids={ids}&status=queued").json
    assert (len(body["jobs"]), body["total"]) == (15, 15)
    assert call(list_jobs, services, "/jobs?ids=..").json["jobs"] == []  # type: ignore[index]


def test_media_come_beside_each_job_when_they_are_asked_for(services: FakeServices) -> None:
    services.add("job-1", document("me", reference_image_path="me/job-1/reference.png"))
    body: Any = call(list_jobs, services, "/jobs?include=media").json
    alone: Any = call(get_thumbnails, services, "/jobs/job-1/thumbnails").json
    assert body["jobs"][0]["media"] == alone
    assert set(alone) == {
        *("job_id", "reference_image_url", "motion_video_url", "input_video_url", "output_video_url"),
        *("reference_poster_url", "motion_poster_url", "output_poster_url"),
        *("motion_preview_url", "output_preview_url", "reference_view_url", "output_storyboard_url", "playable"),
        *("expires_in_seconds", "expires_at"),
    }
    assert "media" not in call(list_jobs, services, "/jobs").json["jobs"][0]  # type: ignore[index]


def test_jobs_are_found_by_how_their_ids_begin_page_by_page(services: FakeServices) -> None:
    for job_id in ("70eb9a-2", "70eb9a-1", "70eb9b", "70eb9a-3"):
        services.add(job_id, document("me", reference_image_path=f"me/{job_id}/reference.png"))
    services.add("70eb9a-0", deleted("me"))
    body: Any = call(list_jobs, services, "/jobs?id_prefix=70eb9a&page_size=2&include=media").json
    assert ([job["id"] for job in body["jobs"]], body["total"]) == (["70eb9a-1", "70eb9a-2"], 3)
    assert all(job["media"]["reference_image_url"] for job in body["jobs"])
    rest: Any = call(list_jobs, services, f"/jobs?id_prefix=70eb9a&cursor={body['next_cursor']}").json
    assert ([job["id"] for job in rest["jobs"]], rest["page"], rest["next_cursor"]) == (["70eb9a-3"], 2, None)


@pytest.mark.parametrize("query", ["", "id_prefix=70eb", "id_prefix=70eb9a-", "status=failed"])
def test_a_cursor_of_a_search_serves_nothing_else(services: FakeServices, query: str) -> None:
    for number in range(3):
        services.add(f"70eb9a-{number}", document("me"))
    body: Any = call(list_jobs, services, "/jobs?id_prefix=70eb9a&page_size=2").json
    answer: Any = call(list_jobs, services, f"/jobs?{query}&cursor={body['next_cursor']}")
    assert (answer.status_code, answer.json["detail"].split()[0]) == (400, "cursor")


@pytest.mark.parametrize("query", ["", "&status=failed", "&ids=job-1", "&id_prefix=job-1", "&page=2"])
def test_counts_come_beside_the_jobs_when_they_are_asked_for(services: FakeServices, query: str) -> None:
    for number, status in enumerate(["failed", "queued", "completed", "completed"]):
        services.add(f"job-{number}", document("me", status=status))
    services.add("job-4", deleted("me"))
    body: Any = call(list_jobs, services, f"/jobs?include=counts{query}").json
    none = dict.fromkeys(("pending", "processing", "other"), 0)
    assert body["counts"] == {**none, "all": 4, "queued": 1, "completed": 2, "failed": 1}
    assert "counts" not in call(list_jobs, services, f"/jobs?{query}").json  # type: ignore[operator]


TEXTS = [name for name, hint in get_type_hints(Job).items() if hint == str | None]
WORST = {
    "a control character": "\x01",
    "a character of four bytes": "😀",
    "a letter": "a",
    "a quotation mark": '"',
}


@pytest.mark.slow
@pytest.mark.parametrize("length", [1_024, 1_025, 60_000])
@pytest.mark.parametrize("character", WORST.values(), ids=WORST)
def test_no_page_is_larger_than_a_hundred_jobs_of_140_kb(
    services: FakeServices, character: str, length: int
) -> None:
    for number in range(100):
        texts = dict.fromkeys(TEXTS, length * character)
        path = f"me/{number}/"
        posters = {medium.value: path + (length - len(path)) * character for medium in Medium}
        services.add(f"{number:a>128}", document("me", **texts, posters=posters, previews=posters))
    answer = call(list_jobs, services, "/jobs?page_size=100&include=media,counts")
    assert len(answer.json["jobs"]) == 100  # type: ignore[index]
    assert len(answer.data) < 100 * 140_000


def test_a_list_shows_the_beginning_of_a_long_text_and_the_job_all_of_it(services: FakeServices) -> None:
    texts = {"extension_prompt": "a" * 1_000_000, "error_message": "b" * 2_001}
    services.add("job-1", document("me", **texts))
    for query in ("", "ids=job-1", "id_prefix=job", "include=media"):
        body: Any = call(list_jobs, services, f"/jobs?{query}").json
        shown = [body["jobs"][0][name] for name in texts]
        assert shown == ["a" * 1_999 + "…", "b" * 1_999 + "…"]
    alone: Any = call(list_jobs, services, "/jobs/job-1").json
    assert {name: alone[name] for name in texts} == texts


@pytest.mark.parametrize("query", ["status=failed&status=queued", "status=failed,queued"])
def test_a_filter_may_be_repeated_on_the_first_page_and_with_its_cursor(
    services: FakeServices, query: str
) -> None:
    for number, status in enumerate(["failed", "completed", "queued", "failed"]):
        services.add(f"job-{number}", document("me", status=status))
    body: Any = call(list_jobs, services, f"/jobs?{query}&page_size=2").json
    rest: Any = call(list_jobs, services, f"/jobs?{query}&cursor={body['next_cursor']}").json
    assert [job["id"] for page in (body, rest) for job in page["jobs"]] == ["job-0", "job-2", "job-3"]


def test_a_job_of_a_status_that_is_not_known_is_listed_counted_and_deleted_like_any(
    services: FakeServices,
) -> None:
    services.add("job-0", document("me"))
    services.add("job-1", document("me", status="watermarking"))
    body: Any = call(list_jobs, services, "/jobs?status=other&include=counts").json
    assert [(job["id"], job["status"]) for job in body["jobs"]] == [("job-1", "watermarking")]
    assert (body["total"], body["counts"]["other"], body["counts"]["all"]) == (1, 1, 2)
    assert call(delete_job, services, "/jobs/job-1", method="DELETE").status_code == 202


@pytest.mark.parametrize("path", ["", None])
def test_an_output_without_a_path_is_found_where_it_belongs(services: FakeServices, path: str | None) -> None:
    services.add("job-1", document("me", output_video_path=path))
    services.fake_media.objects[OUTPUTS]["me/job-1/output.mp4"] = [b"video"]
    output: Any = call(get_output, services, "/jobs/job-1/output").json
    media: Any = call(get_thumbnails, services, "/jobs/job-1/thumbnails").json
    assert "/me/job-1/output.mp4" in output["download_url"]
    assert "/me/job-1/output.mp4" in media["output_video_url"]


def test_the_tag_of_a_page_changes_with_the_counts_beside_it(services: FakeServices) -> None:
    services.add("job-1", document("me", status="failed"))
    tag = call(list_jobs, services, "/jobs?status=failed&include=counts").headers["ETag"]
    again = {"If-None-Match": tag}
    assert call(list_jobs, services, "/jobs?status=failed&include=counts", headers=again).status_code == 304
    services.add("job-2", document("me", status="queued"))
    assert call(list_jobs, services, "/jobs?status=failed&include=counts", headers=again).status_code == 200


def test_an_output_says_under_which_name_it_is_saved(services: FakeServices) -> None:
    services.add("job-1", document("me", output_video_path="me/job-1/output.mp4"))
    body: Any = call(get_output, services, "/jobs/job-1/output").json
    assert set(body) == {"job_id", "download_url", "expires_in_seconds", "filename"}
    assert body["filename"] == "nuumee-job-1.mp4"
    assert 2700 <= body["expires_in_seconds"] <= 3600


@pytest.mark.parametrize("status", ["pending", "queued", "processing", "failed"])
def test_an_output_that_is_not_there_yet_is_a_conflict_that_says_why(services: FakeServices, status: str) -> None:
    services.add("job-1", document("me", status=status, output_video_path="me/job-1/output.mp4"))
    answer: Any = call(get_output, services, "/jobs/job-1/output")
    assert (answer.status_code, answer.json["current_status"]) == (409, status)
    assert status in answer.json["detail"]


@pytest.mark.parametrize(
    ("status", "current", "detail"),
    [
        ("processing", "processing", "The job's status is processing; only a completed job has a video."),
        ("failed", "failed", "The job has failed, so it has no video."),
        ("cancelled", "cancelled", "The job's status is cancelled; only a completed job has a video."),
        (None, "unknown", "The job has no status; only a completed job has a video."),
    ],
)
def test_nothing_untrue_is_said_of_a_job_without_an_output(
    services: FakeServices, status: str | None, current: str, detail: str
) -> None:
    services.add("job-1", document("me", status=status))
    answer: Any = call(get_output, services, "/jobs/job-1/output")
    assert (answer.json["current_status"], answer.json["detail"]) == (current, detail)


def test_a_completed_job_without_an_output_has_none_to_give(services: FakeServices) -> None:
    services.add("job-1", document("me"))
    answer: Any = call(get_output, services, "/jobs/job-1/output")
    assert (answer.status_code, answer.json["detail"]) == (404, "This job has no output video.")


@pytest.mark.parametrize("status", ["pending", "queued", "processing", "completed", "failed", "teleporting"])
def test_a_job_of_any_status_is_deleted_and_its_purge_is_published(services: FakeServices, status: str) -> None:
    services.add("job-1", document("me", status=status))
    answer: Any = call(delete_job, services, "/jobs/job-1", method="DELETE")
    assert answer.status_code == 202
    assert answer.json["message"]
    assert (answer.json["job_id"], answer.json["purge"]) == ("job-1", "pending")
    assert answer.json["deleted_at"] == "2026-11-22T12:07:30.250000Z"
    assert services.fake_publisher.published == [JobDeleted("job-1", "me", NOW)]


def test_a_delete_leaves_a_line_with_the_job_and_the_message(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job-1", document("me"))
    with caplog.at_level("INFO", "nuumee"):
        call(delete_job, services, "/jobs/job-1", method="DELETE")
        services.fake_publisher.error = TimeoutError("Pub/Sub is away")
        call(delete_job, services, "/jobs/job-1", method="DELETE")
    lines = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "job_deleted"]
    assert lines == [{"job_id": "job-1", "message_id": "message-1"}, {"job_id": "job-1", "message_id": None}]


def test_deleting_again_answers_the_same_and_publishes_while_the_purge_is_pending(services: FakeServices) -> None:
    services.add("job-1", document("me"))
    first: Any = call(delete_job, services, "/jobs/job-1", method="DELETE").json
    services.now = lambda: NOW + timedelta(hours=1)
    assert call(delete_job, services, "/jobs/job-1", method="DELETE").json == first
    assert services.fake_publisher.published == [JobDeleted("job-1", "me", NOW)] * 2
    purge_job.receive(message(JobDeleted("job-1", "me", NOW)), services)
    again: Any = call(delete_job, services, "/jobs/job-1", method="DELETE").json
    assert (again["deleted_at"], again["purge"]) == (first["deleted_at"], "done")
    assert len(services.fake_publisher.published) == 2


def test_a_delete_stands_although_publishing_failed(services: FakeServices) -> None:
    services.add("job-1", document("me"))
    services.fake_publisher.error = TimeoutError("Pub/Sub is away")
    answer: Any = call(delete_job, services, "/jobs/job-1", method="DELETE")
    assert (answer.status_code, answer.json["purge"]) == (202, "pending")
    pending = services.deletions.all_pending(NOW + timedelta(seconds=1))
    assert [deletion.job_id for deletion in pending] == ["job-1"]


def test_a_delete_by_a_user_who_can_own_no_media_asks_for_no_purge(services: FakeServices) -> None:
    services.add("job-1", document("a/b"))
    answer: Any = call(delete_job, services, "/jobs/job-1", method="DELETE", user="a/b")
    assert (answer.status_code, answer.json["purge"], answer.json["message"]) == (
        202,
        "done",
        "The job is deleted.",
    )
    assert services.fake_publisher.published == []


@pytest.mark.parametrize(
    ("function", "method", "path"),
    [
        (list_jobs, "GET", "/jobs/{id}"),
        (list_jobs, "GET", "/jobs/{id}/deletion"),
        (get_thumbnails, "GET", "/jobs/{id}/thumbnails"),
        (get_output, "GET", "/jobs/{id}/output"),
        (delete_job, "DELETE", "/jobs/{id}"),
    ],
)
@given(job_id=hostile_ids)
def test_no_hostile_id_reaches_firestore_or_storage(function: Any, method: str, path: str, job_id: str) -> None:
    assume((method, path.format(id=job_id)) != ("GET", "/jobs/"))  # this is the list's path
    services = FakeServices()
    answer = call(function, services, path.format(id=job_id), method=method)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert services.fake_repository.calls == services.fake_media.calls == 0


@given(hostile_ids)
def test_no_hostile_prefix_of_an_id_reaches_firestore(id_prefix: str) -> None:
    services = FakeServices()
    answer: Any = call(list_jobs, services, f"/jobs?id_prefix={id_prefix}")
    assert (answer.status_code, answer.json["detail"].split()[0]) == (400, "id_prefix")
    assert services.fake_repository.calls == services.fake_media.calls == 0


def put_files(services: FakeServices, user: str, job_id: str) -> None:
    for bucket, name in ((IMAGES, "reference.png"), (VIDEOS, "motion.mp4"), (OUTPUTS, "output.mp4")):
        services.fake_media.objects[bucket][f"{user}/{job_id}/{name}"] = [b"x"]


def test_a_purge_records_what_it_removed_in_each_bucket(services: FakeServices) -> None:
    services.add("job-1", deleted("me"))
    put_files(services, "me", "job-1")
    purge_job.receive(message(JobDeleted("job-1", "me", NOW)), services)
    purge = services.fake_ledger.entries["job-1"]
    assert (purge["state"], purge["attempts"], purge["proved_empty_at"]) == ("done", 1, NOW)
    found = {
        "objects": 1,
        "bytes": 1,
        "error": None,
        "first_removed_at": NOW,
        "removed_at": NOW,
        "proved_empty_at": NOW,
    }
    assert purge["buckets"] == dict.fromkeys(SETTINGS.buckets, found)


def test_a_purge_that_fails_in_one_bucket_comes_back_and_finishes_later(services: FakeServices) -> None:
    services.add("job-1", deleted("me"))
    put_files(services, "me", "job-1")
    services.fake_media.broken = {VIDEOS}
    event = message(JobDeleted("job-1", "me", NOW))
    with pytest.raises(ServiceUnavailable):
        purge_job.receive(event, services)
    purge = services.fake_ledger.entries["job-1"]
    assert (purge["state"], purge["buckets"][VIDEOS]["error"]) == ("pending", "ServiceUnavailable")
    assert not services.fake_media.objects[IMAGES]
    services.fake_media.broken = set()
    purge_job.receive(event, services)
    purge = services.fake_ledger.entries["job-1"]
    assert (purge["state"], purge["attempts"]) == ("done", 2)
    assert not services.fake_media.objects[VIDEOS]


@pytest.mark.parametrize("case", ["live", "unknown", "another user's id"])
def test_an_event_that_the_document_does_not_bear_out_removes_nothing(services: FakeServices, case: str) -> None:
    services.add("job-1", document("me") if case == "live" else deleted("me"))
    put_files(services, "me", "job-1")
    put_files(services, "you", "job-1")
    job_id = "job-2" if case == "unknown" else "job-1"
    user = "you" if case == "another user's id" else "me"
    purge_job.receive(message(JobDeleted(job_id, user, NOW)), services)
    assert [len(services.fake_media.objects[bucket]) for bucket in SETTINGS.buckets] == [2, 2, 2]
    assert services.fake_media.calls == 0


MALFORMED: list[Any] = [
    None,
    [],
    {},
    {"message": None},
    {"message": []},
    {"message": {}},
    {"message": {"data": "%%%"}},
    {"message": {"data": 7}},
    {"message": {"data": "e30=", "attributes": []}},
    message(JobDeleted("job-1", "me", NOW), attributes={"type": "job.created"}),
    message(JobDeleted("..", "me", NOW)),
    message(JobDeleted("job-1", "..", NOW)),
    message(JobDeleted("", "", NOW)),
]


@pytest.mark.parametrize("data", MALFORMED)
def test_a_malformed_event_is_recorded_and_acknowledged(
    services: FakeServices, data: Any, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job-1", deleted("me"))
    with caplog.at_level("ERROR", "nuumee"):
        purge_job.receive(data, services)
    assert [record.getMessage() for record in caplog.records] == ["event_never"]
    assert services.fake_repository.calls == services.fake_media.calls == 0


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_hostile_id_in_an_event_reaches_firestore_or_storage(job_id: str, user_id: str) -> None:
    services = FakeServices()
    for hostile in (JobDeleted(job_id + "/..", "me", NOW), JobDeleted("job-1", f"{user_id}/", NOW)):
        purge_job.receive(message(hostile), services)
    assert services.fake_repository.calls == services.fake_media.calls == 0


def test_an_unexpected_failure_brings_the_event_back(services: FakeServices) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("boom")

    services.add("job-1", deleted("me"))
    services.fake_media.purge = fail  # type: ignore[method-assign,assignment]
    with pytest.raises(ServiceUnavailable):
        purge_job.receive(message(JobDeleted("job-1", "me", NOW)), services)
