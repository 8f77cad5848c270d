"""How a small body is read off a connection, and how any other ends it. With gunicorn's own reader of bodies."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from gunicorn.http.body import Body as GunicornBody
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader

from shared.errors import ApiError, BadRequest, RequestTimeout
from shared.web import bodies
from shared.web.bodies import SMALL, Body


class Connection:
    """A client's end, and what gunicorn makes of the other one."""

    def __init__(self) -> None:
        self.client, self._server = socket.socketpair()

    def body(self, declared: int | None) -> tuple[Body, Any]:
        """The next body on the connection. It comes in chunks unless its length is declared."""
        unreader = SocketUnreader(self._server)
        length = {"HTTP_TRANSFER_ENCODING": "chunked"} if declared is None else {"CONTENT_LENGTH": str(declared)}
        reader = GunicornBody(
            ChunkedReader(object(), unreader) if declared is None else LengthReader(unreader, declared)
        )
        environ: dict[str, Any] = {
            **length,
            "CONTENT_TYPE": "application/json",
            "wsgi.input": reader,
            "gunicorn.socket": self._server,
        }
        body = Body(environ)
        assert "CONTENT_LENGTH" not in environ
        assert environ["wsgi.input"].read() == b""
        return body, reader

    def send(self, *parts: bytes, pause: float = 0.005) -> threading.Thread:
        """Send the parts on a thread of their own, with a pause in seconds before each."""

        def send() -> None:
            for part in parts:
                time.sleep(pause)
                self.client.sendall(part)

        sending = threading.Thread(target=send)
        sending.start()
        return sending

    def close(self) -> None:
        self.client.close()
        self._server.close()

    @property
    def receives_more(self) -> bool:
        """Whether the function's end would still receive what the client sends next."""
        try:
            self.client.sendall(b"x")
        except BrokenPipeError:
            return False
        return True


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection()
    yield made
    made.close()


def test_a_body_that_is_there_is_read_once_and_the_connection_serves_on(connection: Connection) -> None:
    connection.client.sendall(b'{"name": "a"}next')
    body, reader = connection.body(13)
    assert body.json() == {"name": "a"}
    body.drop()
    assert (reader.failed, connection.receives_more) == (False, True)


CHUNKS = b'3\r\n{"n\r\na;x=y\r\name": "a"}\r\n0\r\n\r\n'


@pytest.mark.parametrize(
    ("declared", "sent"), [(13, b'{"name": "a"}'), (None, CHUNKS)], ids=["declared", "in chunks"]
)
def test_a_body_that_comes_in_pieces_is_waited_for(
    connection: Connection, declared: int | None, sent: bytes
) -> None:
    sending = connection.send(*(bytes([byte]) for byte in sent))
    body, reader = connection.body(declared)
    assert body.json() == {"name": "a"}
    sending.join()
    assert (reader.failed, connection.receives_more) == (False, True)


def test_a_body_that_comes_well_after_its_headers_is_taken(connection: Connection) -> None:
    sending = connection.send(b'{"name": "a"}', pause=0.6)
    body, reader = connection.body(13)
    assert body.json() == {"name": "a"}
    sending.join()
    assert (reader.failed, connection.receives_more) == (False, True)


@pytest.mark.parametrize(("declared", "sent"), [(13, b'{"name"'), (None, b"7\r\n{"), (None, b"")])
def test_a_body_that_does_not_come_is_given_up_and_nothing_after_it_is_read(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, declared: int | None, sent: bytes
) -> None:
    monkeypatch.setattr(bodies, "_SECONDS_TO_READ", 0.1)
    connection.client.sendall(sent)
    body, reader = connection.body(declared)
    began = time.monotonic()
    with pytest.raises(RequestTimeout, match="did not arrive in time"):
        body.json()
    body.drop()
    assert 0.1 <= time.monotonic() - began < 1
    assert (reader.failed, connection.receives_more) == (True, False)


def test_a_body_that_trickles_in_is_given_up_in_time(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_SECONDS_TO_READ", 0.1)
    body, reader = connection.body(None)
    stop = threading.Event()

    def trickle() -> None:
        with suppress(BrokenPipeError):
            while not stop.wait(0.005):
                connection.client.sendall(b"0")

    sending = threading.Thread(target=trickle)
    sending.start()
    began = time.monotonic()
    with pytest.raises(RequestTimeout):
        body.json()
    assert time.monotonic() - began < 1
    sending.join(5)
    assert (reader.failed, sending.is_alive()) == (True, False)
    stop.set()


def test_only_a_few_bodies_are_waited_for_long_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_SECONDS_TO_READ", 60)
    monkeypatch.setattr(bodies, "_SECONDS_IN_A_CROWD", 0.05)
    connections = [Connection() for _ in range(4)]
    read = [connection.body(13)[0] for connection in connections]
    outcomes: list[ApiError] = []

    def late(body: Body) -> None:
        with pytest.raises(ApiError) as caught:
            body.json()
        outcomes.append(caught.value)

    waiting = [threading.Thread(target=late, args=(body,)) for body in read]
    for one in waiting:
        one.start()
    deadline = time.monotonic() + 5
    while len(outcomes) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert [type(one) for one in outcomes] == [RequestTimeout] * 2
    assert sum(one.is_alive() for one in waiting) == 2
    for connection in connections:
        connection.client.close()
    for one in waiting:
        one.join(5)
    body, _ = (again := Connection()).body(13)
    sending = again.send(b'{"name": "a"}', pause=0.2)
    assert body.json() == {"name": "a"}, "those who have gone are waited for no more"
    sending.join()
    for connection in (again, *connections):
        connection.close()


@pytest.mark.parametrize(
    ("declared", "sent"), [(13, b"{}"), (None, b"3\r\n{}"), (None, b"zz\r\n"), (None, b"2\r\n{}{}\r\n0\r\n\r\n")]
)
def test_a_body_whose_client_leaves_in_the_middle_or_whose_chunks_are_malformed_is_none(
    connection: Connection, declared: int | None, sent: bytes
) -> None:
    connection.client.sendall(sent)
    connection.client.shutdown(socket.SHUT_WR)
    body, reader = connection.body(declared)
    with pytest.raises(BadRequest, match="ends too early, or its chunks are malformed"):
        body.json()
    assert reader.failed


@pytest.mark.parametrize("rest", [b"", b'me": "a"}', b'me": "a"}GET /next HTTP/1.1\r\n\r\n'])
def test_a_body_that_a_late_handler_still_reads_ends_its_connection(connection: Connection, rest: bytes) -> None:
    connection.client.sendall(b'{"na')
    body, reader = connection.body(13)
    answers: list[object] = []

    def late() -> None:
        try:
            answers.append(body.json())
        except ApiError as error:
            answers.append(error)

    reading = threading.Thread(target=late)
    reading.start()
    deadline = time.monotonic() + 5
    while not body._reading.locked() and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)  # into the read itself
    body.drop()
    assert reader.failed
    with suppress(BrokenPipeError):
        connection.client.sendall(rest)
    reading.join(1)
    assert not reading.is_alive()
    body.drop()
    assert (len(answers), reader.failed, connection.receives_more) == (1, True, False)


def test_a_handler_that_comes_to_the_body_after_the_answer_finds_none(connection: Connection) -> None:
    connection.client.sendall(b'{"name": "a"}{"name": "b"}')
    body, reader = connection.body(13)
    body.drop()
    with pytest.raises(BadRequest, match="not JSON"):
        body.json()
    assert (reader.failed, connection.receives_more) == (False, True)


def too_large(body: Body) -> None:
    with pytest.raises(BadRequest, match=f"at most {SMALL} bytes"):
        body.json()


@pytest.mark.parametrize("first", [too_large, Body.drop], ids=["asked for", "not asked for"])
def test_a_large_body_is_not_read_at_all(connection: Connection, first: Callable[[Body], None]) -> None:
    connection.client.sendall(b"x" * (SMALL + 1))
    body, reader = connection.body(SMALL + 1)
    first(body)
    body.drop()
    assert (reader.failed, connection.receives_more) == (True, False)


def test_a_large_body_in_chunks_is_given_up_once_it_is_seen_to_be_large(connection: Connection) -> None:
    connection.client.sendall(b"1000\r\n" + b"x" * SMALL + b"\r\n1\r\nx\r\n")
    body, reader = connection.body(None)
    too_large(body)
    body.drop()
    assert (reader.failed, connection.receives_more) == (True, False)
