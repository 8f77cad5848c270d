"""How objects are read and written through the Storage library, including compressed objects and failures."""

from __future__ import annotations

import gc
import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from google.api_core.exceptions import Forbidden
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from shared.errors import Unavailable
from shared.storage.limits import removing
from shared.storage.objects import ObjectStore
from tests.faults import Fault, Kind, Trouble
from tests.storages import a_storage

# The library leaves a failed download's connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def left_connections() -> Iterator[None]:
    """They are collected before another file's tests, in which their warning counts."""
    yield
    gc.collect()


PASSING = [Kind.TOO_MANY, Kind.UNAVAILABLE, Kind.ERROR, Kind.TIMED_OUT, Kind.RESET]
BOMB = gzip.compress(bytes(1_000_000))


class Storage(BaseHTTPRequestHandler):
    """Sends an object that claims to be compressed."""

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
        yield ObjectStore(client, ["videos"])
        client.close()
        server.shutdown()


def test_what_says_that_it_is_compressed_is_read_as_it_is_stored(objects: ObjectStore) -> None:
    assert objects.read("videos", "me/job-1/motion.mp4", 1, 0, len(BOMB)) == BOMB


def test_a_part_of_another_length_is_not_returned(objects: ObjectStore) -> None:
    assert objects.read("videos", "me/job-1/motion.mp4", 1, 0, 100) is None


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture
def troubled(trouble: Trouble) -> Iterator[ObjectStore]:
    with a_storage(trouble, ["videos"]) as client:
        client.bucket("videos").blob("motion.mp4").upload_from_string(b"0123456789")
        yield ObjectStore(client, ["videos"])


def put(store: ObjectStore) -> bool:
    return store.put("videos", "poster.webp", b"poster", "image/webp", metadata={}, replaces=0)


def read(store: ObjectStore) -> bytes | None:
    there = store.describe("videos", "motion.mp4")
    return store.read("videos", "motion.mp4", there.generation, 2, 5) if there else None


@pytest.mark.parametrize("kind", PASSING)
def test_uploads_and_downloads_and_look_ups_are_tried_again_on_what_is_passing(
    troubled: ObjectStore, trouble: Trouble, kind: Kind
) -> None:
    met: set[str] = set()

    def fail_first(call: str) -> Fault | None:
        is_new = call not in met
        met.add(call)
        return Fault(kind) if is_new else None

    trouble.on_call = fail_first
    assert put(troubled)
    assert read(troubled) == b"234"
    assert trouble.faults == 3


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("act", [put, read])
def test_what_does_not_pass_is_an_outage(
    troubled: ObjectStore,
    trouble: Trouble,
    kind: Kind,
    act: Callable[[ObjectStore], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = {**removing(), "retry": removing()["retry"].with_timeout(0.3)}
    monkeypatch.setattr("shared.storage.objects.removing", lambda: limits)
    trouble.on_call = lambda call: Fault(kind)
    with pytest.raises(Unavailable):
        act(troubled)


def test_a_refusal_for_good_is_not_tried_again(troubled: ObjectStore, trouble: Trouble) -> None:
    trouble.on_call = lambda call: Fault(Kind.HELD)
    with pytest.raises(Forbidden):
        put(troubled)
    assert trouble.faults == 1
