"""Request bodies: discarded unread, except a small JSON body where a function takes one."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

import flask
from werkzeug.http import parse_options_header

from shared.errors import ApiError, BadRequest, RequestTimeout

SMALL = 4096
"""Largest body in bytes that is read off a connection: for its JSON, or so that the next request can follow."""
_SECONDS = 0.2
"""Seconds that a small body which nobody reads may take to arrive. Many clients send it just after the headers."""
_SECONDS_TO_READ = 2.0
"""The same for one that a function takes."""
_SECONDS_IN_A_CROWD = 0.5
"""The same while others are waited for, so that slow bodies never hold all of an instance's threads for long."""
_PATIENTLY = threading.BoundedSemaphore(2)
"""How many bodies of an instance are waited for so long at once."""
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
        self._reading = threading.Lock()
        environ["wsgi.input"] = io.BytesIO()

    def json(self) -> object:
        """The body's JSON. Raises BadRequest, which says what is wrong, or RequestTimeout."""
        self._check_type()
        return _parsed(self._taken())

    def json_if_any(self) -> object:
        """The same; None for a body without content, which some clients declare with every request."""
        content = self._taken()
        if not content:
            return None
        self._check_type()
        return _parsed(content)

    def _check_type(self) -> None:
        content_type, options = parse_options_header(self._type)
        if content_type.lower() != "application/json":
            raise BadRequest("The body must be JSON: Content-Type must be application/json.")
        if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            raise BadRequest("The charset must be utf-8: Content-Type must be application/json; charset=utf-8.")

    def drop(self) -> None:
        """Unless the whole body is small and has arrived, receive nothing more: close after the answer.

        If a handler still reads the body on another thread, too late for the answer, that ends at once.
        """
        if not self._reading.acquire(blocking=False):
            self._end()
            return
        try:
            if self._is_left:
                with suppress(ApiError):
                    self._read(_SECONDS)
        finally:
            self._reading.release()

    def _taken(self) -> bytes:
        patiently = _PATIENTLY.acquire(blocking=False)
        try:
            with self._reading:
                return self._read(_SECONDS_TO_READ if patiently else _SECONDS_IN_A_CROWD) if self._is_left else b""
        finally:
            if patiently:
                _PATIENTLY.release()

    def _read(self, seconds: float) -> bytes:
        """All of a small body. Raises BadRequest or RequestTimeout if there is none; the connection then ends."""
        self._is_left = False
        try:
            content = self._small(seconds)
            if len(content) > SMALL:
                raise BadRequest(f"The body must have at most {SMALL} bytes.")
            return content
        except ApiError:
            self._end()
            raise

    def _small(self, seconds: float) -> bytes:
        """The body, or more than SMALL bytes if it is larger.

        gunicorn's readers cannot resume after a socket's timeout, so the deadline ends the connection instead.
        """
        if self._declared > SMALL:
            return bytes(SMALL + 1)
        if self._connection is None:  # not behind gunicorn
            content: bytes = self._stream.read(SMALL + 1)
            return content
        deadline = threading.Timer(seconds, self._end)
        until = time.monotonic() + seconds
        deadline.start()
        whole: bytes | None = None
        with suppress(Exception):  # broken off or malformed chunks: gunicorn has an error for each
            whole = self._stream.read(SMALL + 1)
        deadline.cancel()
        if whole is not None and self._declared in (0, len(whole)):
            return whole
        if time.monotonic() >= until:
            raise RequestTimeout
        raise BadRequest("The body ends too early, or its chunks are malformed.")

    def _end(self) -> None:
        """Receive nothing more, also in a read that waits, and have gunicorn close the connection."""
        if self._connection is None:
            return
        # gunicorn's own flag for a broken body: it then reads no further request. Otherwise it would parse the
        # rest of the body as one.
        self._stream.failed = True
        with suppress(OSError):  # the client may be gone
            self._connection.shutdown(socket.SHUT_RD)


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


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content.decode(), object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    except ValueError:  # not UTF-8, too
        raise BadRequest("The body is not JSON in UTF-8.") from None


def _without_repeats(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest("The body holds something twice under the same key.")
        found[key] = value
    return found


def _no_constant(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity, which JSON does not have
