"""A proxy between Pub/Sub's pushes and a function. Its address stays the same while the function restarts."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

from infra.local.ports import HOST
from infra.local.servers import Server
from tests.faults import Kind, Trouble, reset

_TIMEOUT = 120
_HEADERS = ("Content-Type", "User-Agent")
_UNREACHABLE = 502


class PushProxy(BaseHTTPRequestHandler):
    def __init__(self, port: int, trouble: Trouble, delivered: Callable[[str], None], *arguments: Any) -> None:
        self._port = port
        self._trouble = trouble
        self._delivered = delivered
        super().__init__(*arguments)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        message = base64.b64decode(json.loads(body)["message"].get("data", "")).decode(errors="replace")
        fault = self._trouble.meet(f"POST {self.path} {message}")
        kind = fault.kind if fault else None
        if kind in (Kind.SLOW, Kind.HELD_BACK):
            self._trouble.hold_up(Kind.SLOW)
        if kind is Kind.DUPLICATE:
            threading.Thread(target=self._push, args=(body,), daemon=True).start()
        fails = kind in (Kind.TOO_MANY, Kind.ERROR, Kind.UNAVAILABLE, Kind.RESET, Kind.SILENCE)
        status = self._push(body) if fault is None or fault.carried_out or not fails else 0
        if kind is Kind.SILENCE:
            self._trouble.hold_up(Kind.SILENCE)
        if kind in (Kind.SILENCE, Kind.RESET):
            reset(self.connection)
            return
        if kind is not None and fails:
            status = int(kind.value)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _push(self, body: bytes) -> int:
        """The function's status, or _UNREACHABLE if the function does not answer."""
        function = http.client.HTTPConnection(HOST, self._port, timeout=_TIMEOUT)
        try:
            headers = {name: self.headers[name] for name in _HEADERS if name in self.headers}
            function.request("POST", self.path, body, headers)
            status = function.getresponse().status
        except (OSError, http.client.HTTPException):
            return _UNREACHABLE
        finally:
            function.close()
        if status < 300:
            self._delivered(str(json.loads(body)["message"]["messageId"]))
        return status


@contextmanager
def pushing(port: int, trouble: Trouble, delivered: Callable[[str], None]) -> Iterator[str]:
    """Serve a proxy for the function on `port`; yields its address. `delivered` gets processed messages' ids."""
    server = Server((HOST, 0), partial(PushProxy, port, trouble, delivered))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
