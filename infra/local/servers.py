"""What the local cloud's HTTP servers have in common."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from http.server import ThreadingHTTPServer
from typing import Any
from weakref import WeakSet


class Server(ThreadingHTTPServer):
    """Uses a thread per connection, and does not report connections that a browser dropped."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connections: WeakSet[socket.socket] = WeakSet()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def break_connections(self) -> None:
        """Break all open connections, whatever they are doing."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
