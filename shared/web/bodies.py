"""Request bodies: discarded unread, except a small JSON body where a function takes one."""

from __future__ import annotations

import io
import json
import socket
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

import flask
from werkzeug.http import parse_options_header

from shared.errors import BadRequest

SMALL = 4096
"""Largest body in bytes that is read off a connection: for its JSON, or so that the next request can follow."""
_SECONDS = 0.2
"""Seconds that a small body which nobody reads may take to arrive. Many clients send it just after the headers."""
_SECONDS_TO_READ = 0.5
"""The same for one that a function takes."""
_BODY = "nuumee.body"


class Body:
    """A request's body, taken out of the WSGI environment, so that nothing else reads or waits for it.

    Otherwise functions-framework reads all of it into memory after the answer, and gunicorn waits for the rest
    before the connection's next request. It may be large or endless.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        declared = environ.pop("CONTENT_LENGTH", None)
        self._declared = int(declared or 0)
        self._type = environ.get("CONTENT_TYPE", "")
        self._connection: socket.socket | None = environ.get("gunicorn.socket")
        self._stream: Any = environ["wsgi.input"]
        self._is_left = bool(declared) or "HTTP_TRANSFER_ENCODING" in environ
        environ["wsgi.input"] = io.BytesIO()

    def json(self) -> object:
        """The body's JSON. Raises BadRequest, which says what is wrong."""
        content_type, options = parse_options_header(self._type)
        if content_type.lower() != "application/json" or options.get("charset", "utf-8").lower() != "utf-8":
            raise BadRequest("The body must be JSON: Content-Type must be application/json.")
        if self._declared > SMALL:
            raise BadRequest(f"The body must have at most {SMALL} bytes.")
        content = self._read(_SECONDS_TO_READ) if self._is_left else b""
        if content is None:
            raise BadRequest(f"The body must have at most {SMALL} bytes, and arrive at once.")
        try:
            return json.loads(content.decode(), object_pairs_hook=_without_repeats, parse_constant=_no_constant)
        except RecursionError:
            raise BadRequest("The body is nested too deeply.") from None
        except ValueError:  # not UTF-8, too
            raise BadRequest("The body is not JSON in UTF-8.") from None

    def drop(self) -> None:
        """Unless the whole body is small and has arrived, receive nothing more: close after the answer."""
        if self._is_left:
            self._read(_SECONDS)

    def _read(self, seconds: float) -> bytes | None:
        """All of a small body; None if it is larger or does not arrive in time. The connection then ends."""
        self._is_left = False
        if self._connection is None:  # not behind gunicorn
            content: bytes = self._stream.read(SMALL + 1)
            return content if len(content) <= SMALL else None
        arrived = _small(self._stream, self._connection, self._declared, seconds)
        if arrived is None:
            # gunicorn's own flag for a broken body: it then reads no further request. Otherwise it would parse the
            # rest of the body as one.
            self._stream.failed = True
            with suppress(OSError):  # the client may be gone
                self._connection.shutdown(socket.SHUT_RD)
        return arrived


def take_body(methods: Collection[str]) -> None:
    """Take the current request's body out of its environment. Drop it, unless it is for one of these methods."""
    request = flask.request
    body = request.environ[_BODY] = Body(request.environ)
    if request.method not in methods:
        body.drop()


def body_of(request: flask.Request) -> Body:
    """The request's body, as `take_body` took it."""
    body: Body | None = request.environ.get(_BODY)
    return body or Body(request.environ)


def _without_repeats(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest("The body holds something twice under the same key.")
        found[key] = value
    return found


def _no_constant(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity, which JSON does not have


def _small(body: Any, connection: socket.socket, declared: int, seconds: float) -> bytes | None:
    """Read a small body off the connection if all of it has arrived. Wait briefly if its length is declared."""
    if declared > SMALL:
        return None
    until = time.monotonic() + seconds
    try:
        while True:
            try:
                connection.setblocking(False)
                content: bytes = body.read(SMALL + 1)
                return content if len(content) <= SMALL and declared in (0, len(content)) else None
            except BlockingIOError:
                if not declared:  # reading chunks cannot resume in the middle
                    return None
                body.failed = False
                connection.settimeout(max(0.001, until - time.monotonic()))
                connection.recv(1, socket.MSG_PEEK)
                if time.monotonic() > until:
                    return None
    except Exception:  # broken off, too late or malformed chunks: gunicorn has an error for each
        return None
    finally:
        connection.setblocking(True)
