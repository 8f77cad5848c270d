"""What the Storage library does with what it is sent, as far as it can do harm."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from shared.storage.objects import ObjectStore

BOMB = gzip.compress(bytes(1_000_000))


class Storage(BaseHTTPRequestHandler):
    """Sends an object that says of itself that it is compressed."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(BOMB)))
        self.end_headers()
        self.wfile.write(BOMB)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def objects() -> Iterator[ObjectStore]:
    with HTTPServer(("127.0.0.1", 0), Storage) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        client = storage.Client(
            project="demo",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": f"http://127.0.0.1:{server.server_port}"},
        )
        yield ObjectStore(client, ["videos"], ThreadPoolExecutor(1))
        client.close()
        server.shutdown()


def test_what_says_that_it_is_compressed_is_read_as_it_is_stored(objects: ObjectStore) -> None:
    assert objects.read("videos", "me/job-1/motion.mp4", 1, 0, len(BOMB)) == BOMB


def test_more_or_less_than_was_asked_for_is_nothing(objects: ObjectStore) -> None:
    assert objects.read("videos", "me/job-1/motion.mp4", 1, 0, 100) is None
