"""Functions with connections to Google's services that a test can cut, refuse and slow down."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from infra.local import ports
from infra.local.stack import Stack


class Line:
    """A TCP line to a service. A cut line accepts connections and stays silent. It can also refuse, or be slow."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server((ports.HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._whole = threading.Event()
        self._whole.set()
        self._refuses = threading.Event()
        self._mended = threading.Event()
        self._delay = 0.0
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        self._whole.clear()
        self._hang_up()

    def refuse(self) -> None:
        """Close each connection as soon as it is made."""
        self._refuses.set()
        self._hang_up()

    def slow_down(self, seconds: float) -> None:
        """Delay everything that is sent, in both directions."""
        self._mended.clear()
        self._delay = seconds

    def mend(self) -> None:
        self._delay = 0.0
        self._mended.set()
        self._refuses.clear()
        self._whole.set()
        self._hang_up()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self.mend()
        while self._threads:
            self._hang_up()
            self._threads.pop().join(timeout=10)
        self._listener.close()

    def _hang_up(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._connect, args=(connection,)))
                self._threads[-1].start()

    def _connect(self, connection: socket.socket) -> None:
        with connection:
            self._whole.wait()
            if self._refuses.is_set():
                return
            with suppress(OSError), socket.create_connection((ports.HOST, self._upstream)) as upstream:
                self._open |= {connection, upstream}
                back = threading.Thread(target=self._copy, args=(upstream, connection))
                back.start()
                self._copy(connection, upstream)
                back.join()
                self._open -= {connection, upstream}

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self._delay:
                    self._mended.wait(self._delay)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


VARIABLES = {
    "firestore": "FIRESTORE_EMULATOR_HOST",
    "pubsub": "PUBSUB_EMULATOR_HOST",
    "auth": "FIREBASE_AUTH_EMULATOR_HOST",
    "storage": "STORAGE_EMULATOR_HOST",
}


class OnLines:
    """A function with the product's own time limits and a Line to each service."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack = stack
        self._label = f"{name}-on-lines"
        self.lines = {service: Line(stack.ports[service]) for service in VARIABLES}
        hosts = {service: f"{ports.HOST}:{line.port}" for service, line in self.lines.items()}
        hosts["storage"] = f"http://{hosts['storage']}"
        port = ports.any_free([self._label])[self._label]
        self.url = f"http://{ports.HOST}:{port}"
        changes = {VARIABLES[service]: host for service, host in hosts.items()}
        stack.start_variant(name, self._label, port, PATIENCE="1", **changes)
        stack.processes.wait_for(self._label, lambda: ports.answers(port))

    def mend(self) -> None:
        for line in self.lines.values():
            line.mend()

    def close(self) -> None:
        self._stack.processes.stop([self._label])
        for line in self.lines.values():
            line.close()
