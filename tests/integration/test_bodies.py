"""Unwanted bodies, sent to the staged functions: they use no memory and delay no other request.

Also of the one function that takes a body: it waits for it, but briefly, and only for a user who is signed in.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

import pytest

from infra.functions import table
from infra.local import ports
from infra.local.stack import Stack
from tests.tokens import unsigned_token

LARGE = 31_000_000
"""Bytes. Cloud Run accepts requests of up to 32 MiB: https://cloud.google.com/run/quotas"""
MORE_MIB = 48
"""How much a function's memory may grow for sixteen bodies at a time. Reading them into memory took 870."""
AT_ONCE = 1.5
"""Seconds, with other tests on the same machine. gunicorn would wait five seconds for the rest of a body."""
TOKEN = f"Authorization: Bearer {unsigned_token('me')}\r\n"
KIND = "Content-Type: application/json\r\n"
REQUESTS = {
    "list_jobs": ("POST /jobs", "GET /jobs/..", "OPTIONS /jobs", "GET //nowhere", "GET /robots.txt"),
    "share_job": ("POST /jobs/../share", "DELETE /jobs/../share", "PUT /jobs/a/share"),
    "rename_job": ("POST /jobs/a", "PATCH /jobs/a", "PATCH /jobs/..", "OPTIONS /jobs/a"),
    "share_video": ("POST /v/25ca1d0f", "GET /v/..", "GET /public/video/.."),
}
"""One request for each kind of answer, with a token and without. The first is always refused."""
ENDLESS = {
    "never fulfilled": "Content-Length: 1000000\r\n\r\nabc",
    "small and never fulfilled": "Content-Length: 10\r\n\r\nabc",
    "chunks without an end": "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "waiting to be asked": "Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",
}


@dataclass(frozen=True)
class Function:
    """A staged function in a process of its own, so that no other test affects its memory."""

    name: str
    port: int
    pid: int

    @property
    def threads(self) -> int:
        return table().functions[self.name].threads

    def connect(self) -> socket.socket:
        return socket.create_connection((ports.HOST, self.port), timeout=15)

    def honest_wait(self) -> float:
        """Seconds until an ordinary request is answered."""
        began = time.monotonic()
        with self.connect() as connection:
            connection.sendall(b"GET /nowhere HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            assert status(connection) == 404
        return time.monotonic() - began


@pytest.fixture(scope="module", params=REQUESTS)
def function(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Function]:
    name: str = request.param
    label = f"{name}-bodies"
    port = ports.any_free([label])[label]
    stack.start_variant(name, label, port)
    stack.processes.wait_for(label, lambda: ports.answers(port))
    function = Function(name, port, stack.processes.pid(label))
    # The first request with a token makes the clients that check it, for which all others wait.
    for asked in REQUESTS[name]:
        with function.connect() as connection:
            connection.sendall(f"{asked} HTTP/1.1\r\nHost: test\r\n{TOKEN}Connection: close\r\n\r\n".encode())
            status(connection)
    yield function
    stack.processes.stop([label])


def status(connection: socket.socket) -> int:
    """Read one answer and return its status."""
    with closing(HTTPResponse(connection)) as answer:
        answer.begin()  # skips 100 Continue
        answer.read()
        return answer.status


def mib(pid: int) -> float:
    """The memory of gunicorn and its worker together. Pages that they share count once."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    rollups = [Path(f"/proc/{one}/smaps_rollup").read_text() for one in (str(pid), *children)]
    return sum(int(text.partition("\nPss:")[2].split()[0]) for text in rollups) / 1024


@pytest.mark.parametrize("body", ENDLESS)
@pytest.mark.parametrize("token", ["", TOKEN], ids=["without a token", "with a token"])
def test_bodies_that_never_end_keep_nobody_waiting(function: Function, token: str, body: str) -> None:
    for request in REQUESTS[function.name]:
        with ExitStack() as connections:
            sent = [connections.enter_context(function.connect()) for _ in range(2 * function.threads)]
            for connection in sent:
                connection.sendall(f"{request} HTTP/1.1\r\nHost: test\r\n{KIND}{token}{ENDLESS[body]}".encode())
            waits = [function.honest_wait() for _ in range(3)]
            assert max(waits) < AT_ONCE, (request, waits)
            answered = {status(connection) for connection in sent}
            assert answered <= {204, 400, 401, 404, 405, 408, 429}, request


def test_large_bodies_take_no_memory(function: Function) -> None:
    function.honest_wait()
    before = mib(function.pid)
    most = before
    answered: list[str] = []

    def send(request: str) -> None:
        with function.connect() as connection:
            head = f"{request} HTTP/1.1\r\nHost: test\r\n{KIND}{TOKEN}Content-Length: {LARGE}\r\n\r\n"
            connection.sendall(head.encode())
            with suppress(ConnectionError):
                for _ in range(LARGE // 1_000_000):
                    connection.sendall(b"x" * 1_000_000)
            with suppress(ConnectionError):  # reset if the answer was sent before the whole body
                assert status(connection) in (204, 400, 401, 404, 405, 429)
                answered.append(request)

    for request in REQUESTS[function.name]:
        with ThreadPoolExecutor(function.threads) as threads:
            sending = [threads.submit(send, request) for _ in range(function.threads)]
            while not all(one.done() for one in sending):
                most = max(most, mib(function.pid))
                time.sleep(0.01)
        for one in sending:
            one.result()
        assert function.honest_wait() < AT_ONCE
    assert max(most, mib(function.pid)) < before + MORE_MIB
    assert set(answered) == set(REQUESTS[function.name])


def test_a_small_body_is_dropped_and_its_connection_serves_on(function: Function) -> None:
    request = REQUESTS[function.name][0]
    for body in ("Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"):
        with function.connect() as connection:
            for _ in range(3):
                connection.sendall(f"{request} HTTP/1.1\r\nHost: test\r\n{TOKEN}{body}".encode())
                assert status(connection) in (401, 404, 405)


@pytest.mark.parametrize(
    "body",
    [
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdefgh",
        "Content-Length: 40\r\n\r\nGET /v/smuggled HTTP/1.1\r\nHost: test\r\n\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\nodd trailer\n\r\n\r\n",
    ],
)
def test_an_odd_body_has_one_answer(function: Function, body: str) -> None:
    with function.connect() as connection:
        connection.sendall(f"{REQUESTS[function.name][0]} HTTP/1.1\r\nHost: test\r\n{TOKEN}{body}".encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionResetError):
            while received := connection.recv(65536):
                answer += received
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.split(b" ", 2)[1] in (b"401", b"404", b"405")


@pytest.mark.parametrize("length", [4_000, 4_097, 20_000])
def test_no_part_of_a_body_that_comes_in_pieces_is_taken_for_a_request(function: Function, length: int) -> None:
    smuggled = f"GET /nowhere HTTP/1.1\r\nHost: test\r\n{TOKEN}\r\n".encode()
    head = (
        f"{REQUESTS[function.name][0]} HTTP/1.1\r\nHost: test\r\nContent-Length: {length + len(smuggled)}\r\n\r\n"
    )
    counts = []
    for pause in (*(0, 0.0005, 0.001, 0.002) * 8, 0.1):
        answers = b""
        with (
            function.connect() as connection,
            suppress(OSError),
        ):  # reset if the answer was sent before the rest
            connection.sendall(head.encode() + b"x" * length)
            time.sleep(pause)
            with suppress(OSError):
                connection.sendall(smuggled)
                connection.shutdown(socket.SHUT_WR)
            while received := connection.recv(65536):
                answers += received
        counts.append(answers.count(b"HTTP/1.1 "))
    assert max(counts) == 1, counts


def test_a_small_body_may_come_just_after_its_headers(function: Function) -> None:
    head = f"{REQUESTS[function.name][0]} HTTP/1.1\r\nHost: test\r\n{TOKEN}Content-Length: 2\r\n\r\n".encode()
    with function.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(3):
            connection.sendall(head)
            time.sleep(0.002)
            connection.sendall(b"{}")
            assert status(connection) in (401, 404, 405)
