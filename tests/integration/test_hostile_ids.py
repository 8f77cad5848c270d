"""Impossible ids, sent byte for byte through the gateway and directly to the functions."""

from __future__ import annotations

import itertools
import socket

import pytest
from google.cloud import firestore

from infra.local.ports import HOST
from infra.local.stack import Stack
from infra.local.users import Account
from tests.enumerated import FOUND, Operation, about_one_thing
from tests.jobs import document

HOSTILE = [
    *(
        "..",
        ".",
        "",
        "%2e%2e",
        "%2F",
        "a%2fb",
        "..%2f..%2fother",
        "a%2Fthumbnails",
        "%00",
        "a%00",
        "%0a",
        "%0d%0a",
        "%ff",
    ),
    *("%c3%28", "%F0%9F%98%80", "a.b", "a%20b", "__all__", "a;b", "*", "~", "a" * 129, "a" * 10_000, "%61%2e"),
]
_visitors = itertools.count()


def exchange(port: int, method: str, path: str, token: str, **more: str) -> tuple[int, bytes]:
    """The status and the whole answer. Written by hand, because HTTP libraries clean such paths up first."""
    visitor = next(_visitors)
    headers = {
        "Host": "test",
        "Connection": "close",
        "Authorization": f"Bearer {token}",
        # Each request has its own address, because a public function limits the requests of each client.
        "X-Forwarded-For": f"10.0.{visitor // 256}.{visitor % 256}",
        **more,
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    request = "\r\n".join(lines) + "\r\n\r\n"
    with socket.create_connection((HOST, port), timeout=15) as connection:
        connection.sendall(request.encode("latin-1"))
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize("operation", about_one_thing(FOUND), ids=str)
@pytest.mark.parametrize("through", ["gateway", "function"])
def test_hostile_ids_are_not_found_wherever_they_are_sent(
    stack: Stack, account: Account, operation: Operation, through: str
) -> None:
    port = stack.ports["gateway" if through == "gateway" else operation.function]
    kind = b"text/html" if operation.path.startswith("/v/") else b"application/problem+json"
    for hostile in HOSTILE:
        path = operation.path.format(job_id=hostile, short_id=hostile)
        if path.endswith("/"):
            continue  # this is another path, such as the list's
        status, answer = exchange(port, operation.method, path, account.token)
        assert status == 404, (hostile[:20], answer[:500])
        assert kind in answer, hostile[:20]


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: abc",
        "Content-Length: -1",
        "Content-Length: " + "9" * 20,
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0",
    ],
)
def test_the_gateway_reads_no_request_out_of_an_odd_body(stack: Stack, lines: str) -> None:
    with socket.create_connection((HOST, stack.ports["gateway"]), timeout=15) as connection:
        connection.sendall(f"PUT /jobs HTTP/1.1\r\nHost: test\r\n{lines}\r\n\r\n".encode())
        answer = b""
        while received := connection.recv(65536):
            answer += received
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("through", ["gateway", "function"])
def test_one_slash_at_the_end_is_no_part_of_an_id(stack: Stack, account: Account, through: str) -> None:
    port = stack.ports["gateway" if through == "gateway" else "list_jobs"]
    status, answer = exchange(port, "GET", "/jobs/", account.token)
    assert (status, b'"jobs":[]' in answer) == (200, True)
    for path in ("/jobs//", "/jobs/%2F", "/jobs/cost/"):
        assert exchange(port, "GET", path, account.token)[0] == 404
    assert exchange(stack.ports["delete_job"], "DELETE", "/jobs/", account.token)[0] == 404


def test_slashes_before_the_path_are_a_prefix_like_any(stack: Stack, account: Account) -> None:
    for path in ("//jobs", "///jobs/"):
        status, answer = exchange(stack.ports["list_jobs"], "GET", path, account.token)
        assert (status, b'"jobs":[]' in answer) == (200, True), path


def test_a_request_for_a_websocket_is_answered_as_any_other(stack: Stack, account: Account) -> None:
    websocket = {"Connection": "Upgrade", "Upgrade": "websocket"}
    for path, status, kind in (("/jobs", 200, b'"jobs":[]'), ("/nothing", 404, b"application/problem+json")):
        answered, answer = exchange(stack.ports["list_jobs"], "GET", path, account.token, **websocket)
        assert (answered, kind in answer) == (status, True), answer[:500]


def test_an_escaped_id_is_the_id_that_it_stands_for(
    stack: Stack, account: Account, database: firestore.Client
) -> None:
    database.collection("jobs").document("abc-escaped").set(document(account.user_id))
    status, answer = exchange(stack.ports["gateway"], "GET", "/jobs/%61bc%2Descaped", account.token)
    assert (status, b'"id":"abc-escaped"' in answer) == (200, True)
