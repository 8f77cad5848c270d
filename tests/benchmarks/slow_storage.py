"""A Cloud Storage that takes 25 ms a call, as in the cloud. Each prefix in each bucket starts with 100 objects.

`python -m tests.benchmarks.slow_storage PORT` serves it, with a thread for each connection.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

OBJECTS = 100
SECONDS = 0.025
_names: dict[tuple[str, str], dict[str, None]] = {}
_lock = threading.Lock()


class SlowStorage(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        bucket, prefix = url.path.split("/")[4], parse_qs(url.query)["prefix"][0]
        time.sleep(SECONDS)
        with _lock:
            names = _names.setdefault((bucket, prefix), {f"{prefix}{number}": None for number in range(OBJECTS)})
            items = [{"name": name, "bucket": bucket, "generation": "1", "size": "1"} for name in names]
        self._send(200, json.dumps({"items": items}).encode())

    def do_DELETE(self) -> None:
        _, _, _, _, bucket, _, name = urlsplit(self.path).path.split("/")
        name = unquote(name)
        time.sleep(SECONDS)
        with _lock:
            del _names[bucket, name.rpartition("/")[0] + "/"][name]
        self._send(204, b"")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    _Server(("127.0.0.1", int(sys.argv[1])), SlowStorage).serve_forever()
