"""Discards request bodies, since no HTTP function uses one."""

from __future__ import annotations

import io
import socket
import time
from contextlib import suppress
from typing import Any

import flask

_SMALL = 4096
"""Largest body in bytes that is read off the connection, so that it can serve the next request."""
_SECONDS = 0.2
"""Seconds that a small body may take to arrive. Many clients send it just after the headers."""


def drop_body() -> None:
    """Keep the current request's body from being read or waited for: it may be large or endless.

    Otherwise functions-framework reads all of it into memory after the answer, and gunicorn waits for the rest
    before the connection's next request. Unless the whole body is small and has arrived, the connection receives
    nothing more and closes after the answer.
    """
    environ = flask.request.environ
    declared = environ.get("CONTENT_LENGTH")
    if not declared and "HTTP_TRANSFER_ENCODING" not in environ:
        return
    body, connection = environ["wsgi.input"], environ.get("gunicorn.socket")
    environ["wsgi.input"] = io.BytesIO()
    environ.pop("CONTENT_LENGTH", None)
    if connection is None or _was_small(body, connection, int(declared or 0)):
        return
    # gunicorn's own flag for a broken body: it then reads no further request. Otherwise it would parse the rest of
    # the body as one.
    body.failed = True
    with suppress(OSError):  # the client may be gone
        connection.shutdown(socket.SHUT_RD)


def _was_small(body: Any, connection: socket.socket, declared: int) -> bool:
    """Read a small body off the connection if all of it has arrived. Wait briefly if its length is declared."""
    if declared > _SMALL:
        return False
    until = time.monotonic() + _SECONDS
    try:
        while True:
            try:
                connection.setblocking(False)
                return len(body.read(_SMALL + 1)) <= _SMALL
            except BlockingIOError:
                if not declared:  # reading chunks cannot resume in the middle
                    return False
                body.failed = False
                connection.settimeout(max(0.001, until - time.monotonic()))
                connection.recv(1, socket.MSG_PEEK)
                if time.monotonic() > until:
                    return False
    except Exception:  # broken off, too late or malformed chunks: gunicorn has an error for each
        return False
    finally:
        connection.setblocking(True)
