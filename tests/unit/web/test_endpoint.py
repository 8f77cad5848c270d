from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from functions.delete_job import delete_job
from functions.get_output import get_output
from functions.get_thumbnails import get_thumbnails
from functions.list_jobs import list_jobs
from functions.rename_job import rename_job
from functions.share_job import share_job
from functions.share_video import share_video
from shared.access.user import User
from shared.errors import Unavailable
from shared.outages import ANSWER_WITHIN, seconds_for
from shared.services import Services
from shared.web.endpoint import Endpoint, HttpFunction, Request, endpoint
from tests.calls import call
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, document
from tests.visits import ID, PAGE, SEEN, VIDEO
from tests.waiting import wait_until

ALL: dict[str, tuple[Endpoint, str, str]] = {
    "list": (list_jobs, "GET", "/jobs"),
    "job": (list_jobs, "GET", "/jobs/{id}"),
    "thumbnails": (get_thumbnails, "GET", "/jobs/{id}/thumbnails"),
    "output": (get_output, "GET", "/jobs/{id}/output"),
    "rename": (rename_job, "PATCH", "/jobs/{id}"),
    "delete": (delete_job, "DELETE", "/jobs/{id}"),
    "share": (share_job, "POST", "/jobs/{id}/share"),
    "limit": (share_job, "PATCH", "/jobs/{id}/share"),
    "unshare": (share_job, "DELETE", "/jobs/{id}/share"),
}
BODIES: dict[str, dict[str, Any]] = {"rename": {"name": "First try"}, "limit": {"expires_at": None}}
every = pytest.mark.parametrize("name", ALL)
SIGNATURE = "X-Goog-Signature="
"""A part of every signed URL."""


@pytest.fixture
def services() -> FakeServices:
    made = FakeServices()
    made.add("job-1", document("me", short_id="25ca1d0f", output_video_path="me/job-1/output.mp4"))
    return made


def send(services: Services, name: str, job_id: str = "job-1", prefix: str = "", **options: Any) -> Any:
    function, method, path = ALL[name]
    asked = {"method": method, "body": BODIES.get(name), **options}
    return call(function, services, prefix + path.format(id=job_id), **asked)


@every
@pytest.mark.parametrize("prefix", ["", "/api/v1", "/list_jobs", "/jobs", "/a/b/c", "/jobs/x"])
def test_any_prefix_reaches_the_same_code(services: FakeServices, name: str, prefix: str) -> None:
    expected = {"delete": 202}.get(name, 200)
    if (name, prefix) == ("list", "/jobs"):
        expected = 404  # /jobs/jobs is the job with the id "jobs"
    assert send(services, name, prefix=prefix).status_code == expected


@every
def test_without_a_token_nothing_is_looked_up(services: FakeServices, name: str) -> None:
    for user in (None, "garbage"):
        answer = send(services, name, user=user)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert services.fake_repository.calls == services.fake_media.calls == 0


@every
def test_a_problem_is_described_as_rfc_9457_has_it(services: FakeServices, name: str) -> None:
    answer = send(services, name, user=None)
    assert answer.content_type == "application/problem+json"
    problem = answer.json
    assert set(problem) == {"type", "title", "status", "detail", "request_id"}
    assert (problem["status"], problem["type"]) == (401, "https://nuumee.ai/problems/unauthorized")
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["job", "thumbnails", "output", "rename", "delete", "share", "limit", "unshare"])
def test_unknown_foreign_and_deleted_jobs_cannot_be_told_apart(services: FakeServices, name: str) -> None:
    services.add("foreign", document("you"))
    services.add("deleted", document("me"))
    call(delete_job, services, "/jobs/deleted", method="DELETE")
    gone = ["unknown", "foreign"] + ([] if name == "delete" else ["deleted"])
    answers = [send(services, name, job_id) for job_id in gone]
    assert {answer.status_code for answer in answers} == {404}
    bodies = [{key: value for key, value in answer.json.items() if key != "request_id"} for answer in answers]
    assert all(body == bodies[0] for body in bodies)


@every
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_other_methods_are_refused_with_those_allowed(services: FakeServices, name: str, method: str) -> None:
    others = {"rename": "PATCH", "delete": "DELETE"} | dict.fromkeys(
        ("share", "limit", "unshare"), "POST, PATCH, DELETE"
    )
    allowed = others.get(name, "GET, HEAD")
    if method in allowed.split(", "):
        return
    answer = send(services, name, method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == f"{allowed}, OPTIONS"
    assert services.fake_repository.calls == 0


@pytest.mark.parametrize("name", ["list", "job", "thumbnails", "output"])
def test_head_is_get_without_the_body(services: FakeServices, name: str) -> None:
    head, get = send(services, name, method="HEAD"), send(services, name)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize(
    "path", ["/", "/job", "/jobs//", "/jobs/a/b", "/jobs/job-1//", "/jobsx", "/jobs/job-1/x", "/jobs%2F"]
)
def test_other_addresses_are_not_there(services: FakeServices, path: str) -> None:
    answer = call(list_jobs, services, path)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_a_script_of_a_known_origin_can_read_that_an_address_is_not_there(services: FakeServices) -> None:
    headers = {"Origin": "https://nuumee.ai"}
    preflight = call(list_jobs, services, "/nowhere", method="OPTIONS", user=None, headers=headers)
    answer = call(list_jobs, services, "/nowhere", headers=headers)
    assert (preflight.status_code, answer.status_code) == (204, 404)
    for one in (preflight, answer):
        assert one.headers["Access-Control-Allow-Origin"] == "https://nuumee.ai"


@every
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_one_slash_at_the_end_changes_nothing(services: FakeServices, name: str, prefix: str) -> None:
    function, method, path = ALL[name]
    address = f"{prefix}{path.format(id='job-1')}/"
    with_slash = call(function, services, address, method=method, body=BODIES.get(name))
    without = send(services, name, prefix=prefix)
    assert with_slash.status_code == without.status_code in (200, 202)
    assert with_slash.json.keys() == without.json.keys()  # type: ignore[union-attr]


@pytest.mark.parametrize("ending", ["//", "%2F", "%2f", "/%2F"])
@pytest.mark.parametrize("name", [name for name in ALL if name != "list"])
def test_more_than_one_slash_at_the_end_is_not_found(services: FakeServices, name: str, ending: str) -> None:
    function, method, path = ALL[name]
    assert call(function, services, path.format(id="job-1") + ending, method=method).status_code == 404
    assert services.fake_repository.calls == 0


@pytest.mark.parametrize("word", ["cost", "erasure", "cos%74", "cost/"])
@pytest.mark.parametrize("name", [name for name in ALL if name != "list"])
def test_a_word_of_another_path_is_no_jobs_id(services: FakeServices, name: str, word: str) -> None:
    for job_id in ("cost", "erasure"):
        services.add(job_id, document("me", output_video_path="me/cost/output.mp4"))
    function, method, path = ALL[name]
    if word.endswith("/") and not path.endswith("{id}"):
        return
    answer = call(function, services, path.format(id=word), method=method, body=BODIES.get(name))
    unknown = send(services, name, "unknown")
    assert answer.status_code == 404
    is_erasure = (name, word) == ("job", "erasure")  # a path of its own, and nothing was erased
    detail = "It was never asked to delete all jobs." if is_erasure else unknown.json["detail"]
    assert answer.json["detail"] == detail  # type: ignore[index]
    assert "deleted_at" not in services.fake_repository.documents["cost"]


@every
def test_a_user_who_asks_too_often_is_told_when_to_come_back(name: str) -> None:
    services = FakeServices(replace(SETTINGS, requests_per_minute=3))
    services.add("job-1", document("me", short_id="25ca1d0f", output_video_path="me/job-1/output.mp4"))
    services.add("job-2", document("you", short_id="25ca1d0e", output_video_path="you/job-2/output.mp4"))
    assert {send(services, name, method="OPTIONS", user=None).status_code for _ in range(5)} == {204}
    answers = [send(services, name, headers={"Origin": "https://nuumee.ai"}) for _ in range(4)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, False, True]
    assert answers[-1].headers["Retry-After"] == "20"
    assert answers[-1].headers["Access-Control-Allow-Origin"] == "https://nuumee.ai"
    before, looked_up = services.fake_repository.calls, services.fake_verifier.checked_revocation.count(True)
    assert send(services, name, method="HEAD" if name in ("list", "job") else ALL[name][1]).status_code == 429
    assert services.fake_repository.calls == before
    assert services.fake_verifier.checked_revocation.count(True) == looked_up <= 3
    assert send(services, name, "job-2", user="you").status_code in (200, 202)
    services.now = lambda: NOW + timedelta(seconds=20)
    assert send(services, name).status_code != 429


def test_who_deletes_a_hundred_jobs_from_four_tabs_that_poll_meets_no_limit(services: FakeServices) -> None:
    for number in range(100):
        services.add(f"doomed-{number}", document("me"))
    deletes = [send(services, "delete", f"doomed-{number}").status_code for number in range(100)]
    polls = [send(services, "list").status_code for _ in range(4 * 60)]
    assert {*deletes} == {202}
    assert {*polls} == {200}


@every
def test_a_preflight_from_a_known_origin_needs_no_token(services: FakeServices, name: str) -> None:
    headers = {"Origin": "https://nuumee.ai", "Access-Control-Request-Method": ALL[name][1]}
    answer = send(services, name, method="OPTIONS", user=None, headers=headers)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://nuumee.ai"
    assert answer.headers["Access-Control-Max-Age"] == "3600"
    assert ALL[name][1] in answer.headers["Access-Control-Allow-Methods"]
    assert set(answer.headers["Access-Control-Allow-Headers"].split(", ")) == {
        *("Authorization", "If-None-Match", "Content-Type", "X-Requested-With"),
        *("traceparent", "tracestate", "baggage", "sentry-trace"),
    }
    assert "Origin" in answer.headers["Vary"]
    assert services.fake_verifier.checked_revocation == []


@every
@pytest.mark.parametrize(
    "origin", ["https://evil.test", "https://nuumee.ai.evil.test", "http://nuumee.ai", "null"]
)
def test_another_origin_is_allowed_nothing(services: FakeServices, name: str, origin: str) -> None:
    for method in ("OPTIONS", ALL[name][1]):
        answer = send(services, name, method=method, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


@every
def test_scripts_of_a_known_origin_see_the_answer_even_when_it_is_a_problem(
    services: FakeServices, name: str
) -> None:
    services.add("queued", document("me", status="queued"))
    asked: list[dict[str, Any]] = [{}, {"user": None}, {"job_id": ".."}, {"job_id": "queued"}, {"method": "PATCH"}]
    for options, error in [*((options, None) for options in asked), ({}, RuntimeError()), ({}, Unavailable("It"))]:
        services.fake_verifier.error = error
        answer = send(services, name, headers={"Origin": "https://nuumee.ai"}, **options)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://nuumee.ai"
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert {"ETag", "Retry-After", "X-Request-Id"} <= set(exposed.split(", "))


@every
def test_what_can_be_revalidated_is_tagged_and_the_rest_is_not_stored(services: FakeServices, name: str) -> None:
    answer = send(services, name)
    cacheable = name in ("list", "job", "thumbnails")
    assert answer.headers["Cache-Control"] == ("private, no-cache" if cacheable else "no-store")
    assert ("ETag" in answer.headers) == cacheable
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["list", "job", "thumbnails"])
def test_an_unchanged_answer_is_not_sent_again(services: FakeServices, name: str) -> None:
    tag = send(services, name).headers["ETag"]
    assert tag.startswith('"')
    for header in (tag, f'"other", {tag}', "*", f"W/{tag}"):
        answer = send(services, name, headers={"If-None-Match": header, "Origin": "https://nuumee.ai"})
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Access-Control-Allow-Origin"] == "https://nuumee.ai"
    services.fake_repository.documents["job-1"].update(status="failed", view_count=99)
    assert send(services, name, headers={"If-None-Match": tag}).status_code == 200


TAKES_GZIP = {"Accept-Encoding": "gzip, deflate"}


def test_a_long_answer_is_compressed_for_a_caller_who_takes_gzip(services: FakeServices) -> None:
    for number in range(5):
        services.add(f"more-{number}", document("me"))
    plain = send(services, "list")
    assert len(plain.data) > 1_200
    assert "Content-Encoding" not in plain.headers
    for header in ("gzip", "br, gzip;q=0.1", "*"):
        answer = send(services, "list", headers={"Accept-Encoding": header})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain.data) / 2
        assert gzip.decompress(answer.data) == plain.data
    for header in ("identity", "br", "gzip;q=0", "*;q=0, identity"):
        answer = send(services, "list", headers={"Accept-Encoding": header})
        assert (answer.headers.get("Content-Encoding"), answer.data) == (None, plain.data)


def test_a_short_answer_and_one_that_is_not_kept_are_sent_as_they_are(services: FakeServices) -> None:
    long = {"error_message": "A reason. " * 500, "status": "failed"}
    services.fake_repository.documents["job-1"].update(long)
    assert send(services, "job", headers=TAKES_GZIP).headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in send(services, "thumbnails", headers=TAKES_GZIP).headers
    assert "Content-Encoding" not in send(services, "job", "unknown", headers=TAKES_GZIP).headers


@pytest.mark.parametrize("name", ["list", "job", "thumbnails"])
def test_each_encoding_has_its_tag(services: FakeServices, name: str) -> None:
    plain, packed = send(services, name), send(services, name, headers=TAKES_GZIP)
    assert plain.headers["ETag"] != packed.headers["ETag"]
    for asked, tag, status in (
        ({}, plain, 304),
        ({}, packed, 200),
        (TAKES_GZIP, packed, 304),
        (TAKES_GZIP, plain, 200),
    ):
        headers = {**asked, "If-None-Match": tag.headers["ETag"]}
        assert send(services, name, headers=headers).status_code == status


@pytest.mark.parametrize("header", ["If-Match", "If-Unmodified-Since", "If-Modified-Since", "Range"])
def test_other_conditions_are_not_looked_at(services: FakeServices, header: str) -> None:
    answer = send(services, "thumbnails", headers={header: "nonsense"})
    assert (answer.status_code, answer.json["job_id"]) == (200, "job-1")


def test_an_outage_leaves_its_cause_in_the_log(services: FakeServices, caplog: pytest.LogCaptureFixture) -> None:
    outage = Unavailable("Firestore")
    outage.__cause__ = TimeoutError("3 s")
    services.fake_verifier.error = outage
    with caplog.at_level(logging.WARNING, "nuumee"):
        send(services, "list")
    (record,) = caplog.records
    assert record.getMessage() == "unavailable"
    assert "TimeoutError('3 s')" in vars(record)["fields"]["cause"]


def test_a_tag_outlives_the_seconds_that_its_urls_count_down(services: FakeServices) -> None:
    first = send(services, "thumbnails")
    services.now = lambda: NOW + timedelta(minutes=5)
    second = send(services, "thumbnails")
    assert second.json["expires_in_seconds"] == first.json["expires_in_seconds"] - 300
    assert second.headers["ETag"] == first.headers["ETag"]
    services.now = lambda: NOW + timedelta(minutes=15)
    assert send(services, "thumbnails").headers["ETag"] != first.headers["ETag"]


@every
def test_an_outage_is_a_503_that_says_when_to_come_back(services: FakeServices, name: str) -> None:
    services.fake_verifier.error = Unavailable("The sign-in service")
    answer = send(services, name)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


@every
def test_an_unexpected_error_tells_the_caller_nothing_and_the_log_everything(
    services: FakeServices, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    services.fake_verifier.error = RuntimeError("the secret is swordfish")
    logging.getLogger("nuumee").propagate = True
    with caplog.at_level(logging.INFO, "nuumee"):
        answer = send(services, name)
    assert answer.status_code == 500
    assert "swordfish" not in answer.text
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == ["unexpected_error"]
    assert errors[0].exc_info is not None


def test_an_answer_that_takes_too_long_is_given_up_in_time(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    released = threading.Event()
    monkeypatch.setattr("shared.web.endpoint.ANSWER_WITHIN", 0.05)

    @endpoint("GET", "/slow")
    def slow(request: Request, user: User, services: Services) -> dict[str, Any]:
        if not released.is_set():
            released.wait(timeout=30)
            raise RuntimeError("late")
        return {}

    with caplog.at_level(logging.WARNING, "nuumee"):
        answer = call(slow, services, "/slow")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert [record.getMessage() for record in caplog.records] == ["unavailable"]
        released.set()
        wait_until(lambda: len(caplog.records) > 1)
    assert (caplog.records[1].getMessage(), vars(caplog.records[1])["fields"]) == (
        "unexpected_error",
        {"late": True},
    )
    assert caplog.records[1].exc_info is not None
    monkeypatch.undo()
    assert call(slow, services, "/slow").status_code == 200


def test_a_bounded_handler_runs_on_the_requests_own_thread_once_all_is_set_up_and_the_token_known(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[bool] = []
    limits: list[float] = []

    @endpoint("GET", "/bounded", bounded=True)
    def bounded(request: Request, user: User, services: Services) -> dict[str, Any]:
        ran.append(threading.current_thread() is threading.main_thread())
        limits.append(seconds_for(100))
        return {"user": user.id}

    known = {"token-of-ann": User("ann")}
    monkeypatch.setattr(services.fake_verifier, "known", known.get)
    for token in ("token-of-ann", "token-of-ann", "new", "token-of-ann"):
        answer = call(bounded, services, "/bounded", headers={"Authorization": f"Bearer {token}"})
        assert answer.get_json() == {"user": known.get(token, User(token)).id}
    assert ran == [False, True, False, True]
    assert all(ANSWER_WITHIN - 1 < limit <= ANSWER_WITHIN for limit in limits)
    assert seconds_for(100) == 100, "a limit outlives its request"


def test_a_handler_that_is_not_bounded_never_runs_on_the_requests_own_thread(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[bool] = []

    @endpoint("GET", "/any")
    def any_(request: Request, user: User, services: Services) -> dict[str, Any]:
        ran.append(threading.current_thread() is threading.main_thread())
        return {}

    monkeypatch.setattr(services.fake_verifier, "known", lambda _: User("ann"))
    for _ in range(2):
        call(any_, services, "/any")
    assert ran == [False, False]


def test_only_what_changes_something_checks_whether_the_session_was_revoked(services: FakeServices) -> None:
    for name in ALL:
        send(services, name)
    assert services.fake_verifier.checked_revocation == [False] * 4 + [False, True] * 5


@pytest.mark.parametrize("name", [name for name in ALL if name != "list"])
def test_for_an_impossible_id_firebase_auth_is_not_asked_about_the_session(
    services: FakeServices, name: str
) -> None:
    for job_id in ("..", "a.b", "x" * 129, "__x__"):
        assert send(services, name, job_id).status_code == 404
    assert True not in services.fake_verifier.checked_revocation


def test_log_lines_are_json_with_the_trace_and_without_secrets(
    services: FakeServices, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    traced = [{"traceparent": f"00-{trace}-b7ad6b7169203331-01"}, {"X-Cloud-Trace-Context": f"{trace}/1;o=1"}]
    untraced = {"traceparent": "00-not-a-trace"}
    token, query, address = "swordfish-token", "x=swordfish-query", "203.0.113.77"
    del services.__dict__["media"]  # so that URLs are signed
    media = ("reference_image", "motion_video", "output_video")
    paths = {f"{medium}_path": f"{token}/job-1/{medium}" for medium in media}
    services.add("job-1", document(token, short_id=ID, posters=dict.fromkeys(media), **paths))
    services.fake_shares.links[ID] = "job-1"

    def ask(function: HttpFunction, path: str, headers: dict[str, str], user: str | None) -> TestResponse:
        sent = {"X-Forwarded-For": address, **headers}
        return call(function, services, f"{path}?{query}", user=user, headers=sent)

    answers = [
        ask(get_thumbnails, "/jobs/job-1/thumbnails", traced[0], token),
        ask(get_output, "/jobs/job-1/output", traced[1], token),
        ask(list_jobs, "/jobs/job-1", untraced, token),
        *(ask(share_video, path, untraced, None) for path in (PAGE, SEEN, VIDEO)),
    ]
    lines = logged()
    assert [line["status"] for line in lines] == [200, 200, 200, 200, 204, 302]
    expected = f"projects/demo-nuumee/traces/{trace}"
    traces = [line.get("logging.googleapis.com/trace") for line in lines]
    assert traces == [expected, expected, None, None, None, None]
    assert {line["severity"] for line in lines} == {"INFO"}
    signed = [SIGNATURE in answer.text + answer.headers.get("Location", "") for answer in answers]
    assert signed == [True, True, False, True, False, True]
    for secret in (token, query, address, SIGNATURE, "swordfish", "Bearer", "https://storage"):
        assert secret not in str(lines)


@pytest.mark.parametrize(
    ("name", "options", "error", "status", "kind", "says"),
    [
        ("list", {}, None, 200, None, None),
        ("job", {"method": "PUT"}, None, 405, "method-not-allowed", "Only GET, HEAD, OPTIONS can be used here."),
        ("job", {"user": None}, None, 401, "unauthorized", "Please sign in: the request carries no ID token."),
        ("job", {"job_id": "unknown"}, None, 404, "not-found", "There is no such job."),
        (
            "output",
            {"job_id": "queued"},
            None,
            409,
            "job-not-completed",
            "The job's status is queued; only a completed job has a video.",
        ),
        ("delete", {}, Unavailable("Firestore"), 503, "unavailable", "Firestore cannot be reached"),
        ("delete", {}, RuntimeError("x"), 500, "internal-error", "Something went wrong on our side."),
    ],
)
def test_the_line_of_a_refused_request_says_why(
    services: FakeServices,
    caplog: pytest.LogCaptureFixture,
    name: str,
    options: dict[str, Any],
    error: Exception | None,
    status: int,
    kind: str | None,
    says: str | None,
) -> None:
    services.add("queued", document("me", status="queued"))
    services.fake_verifier.error = error
    with caplog.at_level(logging.INFO, "nuumee"):
        send(services, name, **options)
    (line,) = [record for record in caplog.records if record.getMessage() == "request"]
    fields = vars(line)["fields"]
    assert (fields["status"], fields.get("kind")) == (status, kind)
    assert fields.get("detail", "").startswith(says or "")
    assert ("detail" in fields) == (kind is not None)


@pytest.mark.parametrize("query", ["page=0", "cursor=x"])
def test_the_line_of_a_bad_query_names_the_parameter_and_not_what_was_sent(
    services: FakeServices, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    with caplog.at_level(logging.INFO, "nuumee"):
        call(list_jobs, services, f"/jobs?{query}&status=me@nuumee.test")
    (fields,) = [vars(record)["fields"] for record in caplog.records]
    assert (fields["status"], fields["kind"]) == (400, "bad-request")
    assert "nuumee.test" not in str(fields)


def test_text_outside_unicode_does_not_break_an_answer(services: FakeServices) -> None:
    @endpoint("GET", "/odd")
    def odd(request: Request, user: User, services: Services) -> dict[str, Any]:
        return {"text": "\ud800", "more": "ü"}

    answer = call(odd, services, "/odd")
    assert answer.status_code == 200
    assert answer.json["more"] == "ü"  # type: ignore[index]
