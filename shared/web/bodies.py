"""The bodies of requests, which no HTTP function takes."""

from __future__ import annotations

import io
import socket
from contextlib import suppress
from typing import Any

import flask

_SMALL = 4096
"""Bytes of a body that costs nothing to take off the connection, which then serves the next request."""


def drop_body() -> None:
    """Let nobody read the body of the request under way, or wait for it: it may be large, or never end.

    Otherwise functions-framework reads all of it into memory after the answer, and gunicorn waits for its rest
    before the connection's next request. Unless the whole body is small and there, the connection takes no more
    from here on, and ends after the answer.
    """
    environ = flask.request.environ
    if not environ.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" not in environ:
        return
    connection: socket.socket = environ["gunicorn.socket"]
    if not _was_small(environ["wsgi.input"], connection):
        with suppress(OSError):  # the client may be gone
            connection.shutdown(socket.SHUT_RD)
    environ["wsgi.input"] = io.BytesIO()
    environ.pop("CONTENT_LENGTH", None)


def _was_small(body: Any, connection: socket.socket) -> bool:
    """Take a small body off the connection, if all of it is there. Waits for nothing."""
    connection.setblocking(False)
    try:
        return len(body.read(_SMALL + 1)) <= _SMALL
    except Exception:  # it is not there yet, or breaks off, or is no chunks: gunicorn has an error for each
        return False
    finally:
        connection.setblocking(True)
