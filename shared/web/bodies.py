"""The bodies of requests, which no HTTP function takes."""

from __future__ import annotations

import io
import socket
import time
from contextlib import suppress
from typing import Any

import flask

_SMALL = 4096
"""Bytes of a body that costs nothing to take off the connection, which then serves the next request."""
_SECONDS = 0.2
"""How long a small body may take to arrive: many clients send it just after the headers."""


def drop_body() -> None:
    """Let nobody read the body of the request under way, or wait for it: it may be large, or never end.

    Otherwise functions-framework reads all of it into memory after the answer, and gunicorn waits for its rest
    before the connection's next request. Unless the whole body is small and there, the connection takes no more
    from here on, and ends after the answer.
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
    # gunicorn's own mark: nobody knows where the next request begins, so there is none. Or the rest of the body
    # would be taken for a request.
    body.failed = True
    with suppress(OSError):  # the client may be gone
        connection.shutdown(socket.SHUT_RD)


def _was_small(body: Any, connection: socket.socket, declared: int) -> bool:
    """Take a small body off the connection, if all of it is there. A declared length is waited for briefly."""
    if declared > _SMALL:
        return False
    until = time.monotonic() + _SECONDS
    try:
        while True:
            try:
                connection.setblocking(False)
                return len(body.read(_SMALL + 1)) <= _SMALL
            except BlockingIOError:
                if not declared:  # chunks cannot be read on from the middle
                    return False
                body.failed = False
                connection.settimeout(max(0.001, until - time.monotonic()))
                connection.recv(1, socket.MSG_PEEK)
                if time.monotonic() > until:
                    return False
    except Exception:  # it breaks off, or comes too late, or is no chunks: gunicorn has an error for each
        return False
    finally:
        connection.setblocking(True)
