from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest

from infra.hosting import hosting
from infra.local.gateway import AUTH, JOB_SERVICE, Gateway, upstream_for
from infra.local.pages import Pages
from infra.local.ports import HOST
from infra.local.servers import Server


@pytest.mark.parametrize(
    ("method", "path", "upstream"),
    [
        ("GET", "/jobs", "list_jobs"),
        ("GET", "/jobs?page=2", "list_jobs"),
        ("HEAD", "/jobs/abc", "list_jobs"),
        ("GET", "/jobs/abc?x=/jobs/abc/output", "list_jobs"),
        ("GET", "/jobs/abc/thumbnails", "get_thumbnails"),
        ("DELETE", "/jobs/abc/thumbnails", "get_thumbnails"),
        ("GET", "/jobs/abc/output", "get_output"),
        ("DELETE", "/jobs/abc", "delete_job"),
        ("DELETE", "/api/v1/jobs/abc", "delete_job"),
        ("DELETE", "/jobs", "delete_jobs"),
        ("PUT", "/jobs", "list_jobs"),
        ("GET", "/jobs/erasure", "list_jobs"),
        ("PUT", "/jobs/abc", "list_jobs"),
        ("POST", "/jobs/abc/share", "share_job"),
        ("GET", "/jobs/", "list_jobs"),
        ("DELETE", "/jobs/abc/", "delete_job"),
        ("DELETE", "/jobs/", "delete_jobs"),
        ("DELETE", "/jobs//", "delete_job"),
        ("GET", "/jobs/abc/output/?x=1", "get_output"),
        ("GET", "/jobs/abc/thumbnails/", "get_thumbnails"),
        ("POST", "/jobs/abc/share/", "share_job"),
        ("GET", "/v/25ca1d0f/", "share_video"),
        ("GET", "/v/25ca1d0f/video.mp4/", "share_video"),
        ("GET", "/public/video/25ca1d0f/", "share_video"),
        ("POST", "/jobs", JOB_SERVICE),
        ("POST", "/api/v1/jobs/", JOB_SERVICE),
        ("GET", "/jobs/cost?job_type=extend", JOB_SERVICE),
        ("DELETE", "/jobs/cost", "delete_job"),
        ("GET", "/jobs/cost/output", "get_output"),
        ("POST", "/jobs/abc/post-process", JOB_SERVICE),
        ("POST", "/api/v1/jobs/abc/watermark/", JOB_SERVICE),
        ("GET", "/jobs/abc/watermark", "list_jobs"),
        ("DELETE", "/api/v1/jobs/abc/share", "share_job"),
        ("GET", "/v/25ca1d0f", "share_video"),
        ("GET", "/v/25ca1d0f?embed=1", "share_video"),
        ("HEAD", "/v/25ca1d0f/video.mp4", "share_video"),
        ("GET", "/v/25ca1d0f/poster.webp", "share_video"),
        ("GET", "/api/v1/public/video/25ca1d0f", "share_video"),
        ("GET", "/v/25ca1d0f/other", "list_jobs"),
        ("GET", "/jobs/..%2fx/thumbnails", "get_thumbnails"),
        ("GET", "/elsewhere", "list_jobs"),
        ("POST", "/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=local", AUTH),
        ("POST", "/securetoken.googleapis.com/v1/token?key=local", AUTH),
        ("GET", "/emulator/auth/handler", AUTH),
        ("DELETE", "/emulator/v1/jobs/abc", AUTH),
        ("GET", "/emulators/jobs", "list_jobs"),
        ("GET", "/api/emulator/jobs", "list_jobs"),
        ("GET", "/identitytoolkitxgoogleapis.com/v1", "list_jobs"),
    ],
)
def test_each_path_goes_to_its_function_or_to_the_sign_in(method: str, path: str, upstream: str) -> None:
    assert upstream_for(method, path, None) == upstream


@pytest.mark.parametrize(
    ("wanted", "function"), [("DELETE", "delete_job"), ("GET", "list_jobs"), (None, "list_jobs")]
)
def test_a_preflight_goes_where_the_request_will(wanted: str | None, function: str) -> None:
    assert upstream_for("OPTIONS", "/jobs/abc", wanted) == function


def test_a_preflight_for_the_job_service_goes_to_no_function() -> None:
    assert upstream_for("OPTIONS", "/jobs", "POST") == JOB_SERVICE
    assert upstream_for("OPTIONS", "/jobs", "GET") == "list_jobs"


class Echo(BaseHTTPRequestHandler):
    """Answers with the request that it got, in chunks, as the Auth emulator may."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length) if length < 10**7 else b"too large"
        content = json.dumps({"asked": f"{self.command} {self.path}", "body": body.decode()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content))

    do_GET = do_HEAD = do_POST = do_OPTIONS = do_PROPFIND = _answer  # noqa: N815 - http.server calls them by name

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(server: Server) -> Iterator[int]:
    """Run the server; yields its port."""
    thread = Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    """One persistent connection to a gateway with a page and a single server in place of all functions."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "index.html").write_text("<h1>Jobs</h1>")
    (tmp_path / "404.html").write_text("<h1>Nothing</h1>")
    with serving(Server((HOST, 0), Echo)) as port:
        upstreams = dict.fromkeys((AUTH, "list_jobs"), port) | {"get_output": 1}
        handler = partial(Gateway, upstreams, Pages(tmp_path, hosting()))
        with serving(Server((HOST, 0), handler)) as gateway_port:
            connection = http.client.HTTPConnection(HOST, gateway_port, timeout=10)
            yield connection
            connection.close()


def ask(
    gateway: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
) -> tuple[int, str, str]:
    """Send a request. Returns the status, the content type and the content."""
    gateway.request(method, path, body=body, headers={"Accept": "text/html", **(headers or {})})
    answer = gateway.getresponse()
    return answer.status, answer.headers.get_content_type(), answer.read().decode()


def test_one_connection_gets_the_page_the_api_and_the_sign_in_one_after_the_other(
    gateway: http.client.HTTPConnection,
) -> None:
    token = {"Authorization": "Bearer t"}
    sign_in = "/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=local"
    assert ask(gateway, "GET", "/jobs/") == (200, "text/html", "<h1>Jobs</h1>")
    assert ask(gateway, "HEAD", "/jobs/") == (200, "text/html", "")
    assert ask(gateway, "GET", "/jobs")[0] == 301
    assert ask(gateway, "GET", "/nowhere") == (404, "text/html", "<h1>Nothing</h1>")
    status, _, content = ask(gateway, "GET", "/jobs?page=2", token)
    assert (status, json.loads(content)["asked"]) == (200, "GET /jobs?page=2")
    assert ask(gateway, "HEAD", "/jobs", token) == (200, "application/json", "")
    status, _, content = ask(gateway, "GET", "/api/v1/jobs")
    assert (status, json.loads(content)["asked"]) == (200, "GET /api/v1/jobs")
    status, _, content = ask(gateway, "POST", sign_in, body='{"email":"a"}')
    assert json.loads(content) == {"asked": f"POST {sign_in}", "body": '{"email":"a"}'}
    assert json.loads(ask(gateway, "GET", "/emulator/auth/handler")[2])["asked"] == "GET /emulator/auth/handler"


def test_a_page_that_is_asked_for_with_a_body_is_not_mixed_up_with_the_next_request(
    gateway: http.client.HTTPConnection,
) -> None:
    assert ask(gateway, "GET", "/jobs/", body="GET /nowhere HTTP/1.1\r\n\r\n")[2] == "<h1>Jobs</h1>"
    assert ask(gateway, "GET", "/jobs/", {"Content-Length": "12345678"})[2] == "<h1>Jobs</h1>"
    assert ask(gateway, "GET", "/jobs/")[2] == "<h1>Jobs</h1>"


@pytest.mark.parametrize("end", ["0\r\n\r\n", "0\r\nTrailer: x\r\n\r\n"])
def test_a_body_in_chunks_arrives_whole(gateway: http.client.HTTPConnection, end: str) -> None:
    chunks = f'5\r\n{{"a":\r\n2;extension=x\r\n1}}\r\n{end}'
    content = ask(gateway, "POST", "/api/jobs/a/rest", {"Transfer-Encoding": "chunked"}, chunks)[2]
    assert json.loads(content) == {"asked": "POST /api/jobs/a/rest", "body": '{"a":1}'}
    assert ask(gateway, "GET", "/jobs/")[2] == "<h1>Jobs</h1>"


def test_of_a_body_in_chunks_no_declared_length_is_passed_on(gateway: http.client.HTTPConnection) -> None:
    headers = {"Transfer-Encoding": "chunked", "Content-Length": "12345678"}
    content = ask(gateway, "POST", "/api/jobs/a/rest", headers, "0\r\n\r\n")[2]
    assert json.loads(content)["body"] == ""


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("chunked", "zz\r\n"),
        ("chunked", "-5\r\nhello\r\n"),
        ("chunked", "\r\n"),
        ("chunked", 10 * ("f4240\r\n" + "x" * 1_000_000 + "\r\n") + "1\r\n"),
        ("gzip", "2\r\n{}\r\n0\r\n\r\n"),
    ],
    ids=["no number", "a negative size", "no size", "too many", "compressed"],
)
def test_chunks_that_cannot_be_forwarded_are_refused(
    gateway: http.client.HTTPConnection, encoding: str, body: str
) -> None:
    status, kind, _ = ask(gateway, "POST", "/api/jobs/a/rest", {"Transfer-Encoding": encoding}, body)
    assert (status, kind) == (400, "application/problem+json")


def test_a_function_is_told_of_a_body_that_is_too_large_for_it(gateway: http.client.HTTPConnection) -> None:
    content = ask(gateway, "POST", "/api/jobs/a/rest", {"Content-Length": "12345678"})[2]
    assert json.loads(content)["body"] == "too large"


def test_it_is_for_the_functions_to_refuse_a_method(gateway: http.client.HTTPConnection) -> None:
    content = ask(gateway, "PROPFIND", "/api/jobs/a/rest")[2]
    assert json.loads(content)["asked"] == "PROPFIND /api/jobs/a/rest"


def test_a_script_of_another_origin_can_read_what_the_gateway_itself_answers(
    gateway: http.client.HTTPConnection,
) -> None:
    preflight = ask(gateway, "OPTIONS", "/api/jobs", {"Access-Control-Request-Method": "POST"})[2]
    assert json.loads(preflight)["asked"] == "OPTIONS /api/jobs"
    for method, path, status in (("POST", "/api/jobs", 405), ("GET", "/api/jobs/a/output", 502)):
        gateway.request(method, path)
        answer = gateway.getresponse()
        answer.read()
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, "*")


@pytest.mark.parametrize("path", ["/../404.html", "/jobs/../../jobs/", "//jobs/", "/..%2f..%2fjobs/"])
def test_a_path_with_steps_in_it_is_sent_as_it_is_and_leads_nowhere_else(
    gateway: http.client.HTTPConnection, path: str
) -> None:
    # Python's server reads two slashes at the beginning as one.
    assert ask(gateway, "GET", path)[2] == ("<h1>Jobs</h1>" if path == "//jobs/" else "<h1>Nothing</h1>")


def test_a_function_that_is_away_is_a_bad_gateway_also_to_head(gateway: http.client.HTTPConnection) -> None:
    assert ask(gateway, "HEAD", "/api/jobs/abc/output") == (502, "application/problem+json", "")
    status, kind, content = ask(gateway, "GET", "/api/jobs/abc/output")
    assert (status, kind) == (502, "application/problem+json")
    assert "get_output does not answer" in json.loads(content)["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/jobs", 405), ("GET", "/api/jobs/cost", 404), ("POST", "/jobs/a/watermark", 404)],
)
def test_what_the_job_service_would_answer_is_refused_in_a_sentence(
    gateway: http.client.HTTPConnection, method: str, path: str, status: int
) -> None:
    got, kind, content = ask(gateway, method, path, {"Authorization": "Bearer t"})
    assert (got, kind) == (status, "application/problem+json")
    assert (
        json.loads(content)["detail"]
        == f"{method} goes to the job service here, which is no part of the local cloud."
    )
