"""How a small body is read off a connection, and how any other ends it. With gunicorn's own reader of bodies."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gunicorn.http.body import Body as GunicornBody
from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import SocketUnreader

from shared.errors import BadRequest
from shared.web.bodies import SMALL, Body


class Connection:
    """A client's end, and what gunicorn makes of the other one."""

    def __init__(self) -> None:
        self.client, self._server = socket.socketpair()

    def body(self, declared: int) -> tuple[Body, Any]:
        reader = GunicornBody(LengthReader(SocketUnreader(self._server), declared))
        environ: dict[str, Any] = {
            "CONTENT_LENGTH": str(declared),
            "CONTENT_TYPE": "application/json",
            "wsgi.input": reader,
            "gunicorn.socket": self._server,
        }
        body = Body(environ)
        assert "CONTENT_LENGTH" not in environ
        assert environ["wsgi.input"].read() == b""
        return body, reader

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


def test_a_body_that_comes_in_pieces_is_waited_for(connection: Connection) -> None:
    def send() -> None:
        for byte in b'{"name": "a"}':
            connection.client.sendall(bytes([byte]))
            time.sleep(0.005)

    sending = threading.Thread(target=send)
    sending.start()
    body, reader = connection.body(13)
    assert body.json() == {"name": "a"}
    sending.join()
    assert (reader.failed, connection.receives_more) == (False, True)


def test_a_body_that_does_not_come_is_given_up_and_nothing_after_it_is_read(connection: Connection) -> None:
    connection.client.sendall(b'{"name"')
    body, reader = connection.body(13)
    began = time.monotonic()
    with pytest.raises(BadRequest, match="arrive at once"):
        body.json()
    body.drop()
    assert time.monotonic() - began < 1
    assert (reader.failed, connection.receives_more) == (True, False)


def test_a_body_whose_client_leaves_in_the_middle_is_none(connection: Connection) -> None:
    connection.client.sendall(b"{}")
    connection.client.shutdown(socket.SHUT_WR)
    body, reader = connection.body(13)
    with pytest.raises(BadRequest, match="arrive at once"):
        body.json()
    assert reader.failed


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
