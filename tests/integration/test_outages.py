"""With one of Google's services away, each function says so within ten seconds, and recovers by itself."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests
from google.cloud import firestore

from infra.local import ports
from infra.local.stack import Stack
from infra.local.users import Account
from tests.integration.firestore_meter import metering
from tests.jobs import document, new_id, put_all, read

LONGEST = 10.0


class Line:
    """A TCP line to one of the services. Cut, it takes calls and stays silent; it can refuse them, or be slow."""

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
        """End each call as soon as it comes."""
        self._refuses.set()
        self._hang_up()

    def slow_down(self, seconds: float) -> None:
        """Hold up whatever is sent, either way."""
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


Away = Callable[[str, str], tuple[str, Line]]


@pytest.fixture
def away(stack: Stack) -> Iterator[Away]:
    """Start a function whose line to one service is the test's; give its URL and the line."""
    started: list[str] = []
    lines: list[Line] = []

    def start(function: str, service: str) -> tuple[str, Line]:
        line = Line(stack.ports[service])
        lines.append(line)
        variable = {
            "firestore": "FIRESTORE_EMULATOR_HOST",
            "pubsub": "PUBSUB_EMULATOR_HOST",
            "auth": "FIREBASE_AUTH_EMULATOR_HOST",
            "storage": "STORAGE_EMULATOR_HOST",
        }[service]
        host = f"{ports.HOST}:{line.port}"
        label = f"{function}-{service}-away"
        port = ports.any_free([label])[label]
        changes = {variable: f"http://{host}" if service == "storage" else host}
        stack.start_function(function, port=port, label=label, **changes)
        started.append(label)
        stack.processes.wait_for(label, lambda: ports.answers(port))
        return f"http://{ports.HOST}:{port}", line

    yield start
    stack.processes.stop(started)
    for line in lines:
        line.close()


def timed(method: str, url: str, token: str) -> tuple[requests.Response, float]:
    began = time.monotonic()
    answer = requests.request(method, url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return answer, time.monotonic() - began


@pytest.fixture
def job(account: Account, database: firestore.Client) -> str:
    job_id = new_id()
    database.collection("jobs").document(job_id).set(document(account.user_id))
    return job_id


CASES = [
    ("list_jobs", "firestore", "GET", "/jobs"),
    ("list_jobs", "firestore", "GET", "/jobs?include=counts&id_prefix=a"),
    ("list_jobs", "firestore", "GET", "/jobs/{id}"),
    ("get_thumbnails", "firestore", "GET", "/jobs/{id}/thumbnails"),
    ("get_output", "firestore", "GET", "/jobs/{id}/output"),
    ("delete_job", "firestore", "DELETE", "/jobs/{id}"),
    ("list_jobs", "storage", "GET", "/jobs?include=media"),
    ("get_thumbnails", "storage", "GET", "/jobs/{id}/thumbnails"),
    ("get_output", "storage", "GET", "/jobs/{id}/output"),
    ("delete_job", "auth", "DELETE", "/jobs/{id}"),
    ("share_job", "firestore", "POST", "/jobs/{id}/share"),
]


FAILURES: dict[str, Callable[[Line], None]] = {
    "silent": Line.cut,
    "refusing": Line.refuse,
    "slow": lambda line: line.slow_down(4),
}
OTHERWISE = [
    *((*case, "slow") for case in CASES if "counts" not in case[3]),
    ("list_jobs", "firestore", "GET", "/jobs", "refusing"),
    ("get_output", "storage", "GET", "/jobs/{id}/output", "refusing"),
    ("delete_job", "auth", "DELETE", "/jobs/{id}", "refusing"),
]


@pytest.mark.parametrize(
    ("function", "service", "method", "path", "failure"), [*((*case, "silent") for case in CASES), *OTHERWISE]
)
def test_a_service_that_is_away_or_slow_is_a_503_in_time_and_no_memory_of_it_stays(
    away: Away, account: Account, job: str, function: str, service: str, method: str, path: str, failure: str
) -> None:
    url, line = away(function, service)
    address = url + path.format(id=job)
    FAILURES[failure](line)
    answer, seconds = timed(method, address, account.token)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert seconds < LONGEST
    line.mend()
    deadline = time.monotonic() + 20
    while (answer := timed(method, address, account.token)[0]).status_code == 503:
        assert time.monotonic() < deadline, "the function does not recover"
    assert answer.status_code in (200, 202, 404)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_delete_stands_within_the_time_although_pubsub_is_away(
    away: Away, account: Account, job: str, database: firestore.Client, failure: str
) -> None:
    url, line = away("delete_job", "pubsub")
    FAILURES[failure](line)
    answer, seconds = timed("DELETE", f"{url}/jobs/{job}", account.token)
    assert (answer.status_code, answer.json()["purge"]) == (202, "pending")
    assert seconds < LONGEST
    assert read(database, job)["purge"]["state"] == "pending"


def test_a_silent_storage_does_not_hold_up_what_needs_no_storage(
    away: Away, account: Account, database: firestore.Client
) -> None:
    url, line = away("list_jobs", "storage")
    put_all(database, [document(account.user_id) for _ in range(100)])
    line.cut()
    with ThreadPoolExecutor(6) as threads:
        media = [
            threads.submit(timed, "GET", f"{url}/jobs?page_size=100&include=media", account.token)
            for _ in range(5)
        ]
        plain, seconds = threads.submit(timed, "GET", f"{url}/jobs?page_size=100", account.token).result()
        answers = [answer.result() for answer in media]
    assert (plain.status_code, len(plain.json()["jobs"])) == (200, 100)
    assert seconds < LONGEST
    assert {answer.status_code for answer, _ in answers} == {503}
    assert max(taken for _, taken in answers) < LONGEST
    plain, seconds = timed("GET", f"{url}/jobs", account.token)
    assert (plain.status_code, seconds < LONGEST) == (200, True)


@pytest.mark.parametrize(
    ("delay", "stalls", "path"), [(0.0, True, "/jobs"), (2.7, False, "/jobs?page=6&page_size=5")]
)
def test_a_firestore_that_is_slow_or_falls_silent_half_way_is_given_up_in_time(
    stack: Stack, account: Account, database: firestore.Client, delay: float, stalls: bool, path: str
) -> None:
    put_all(database, [document(account.user_id) for _ in range(30)])
    label = "list_jobs-slow"
    port = ports.any_free([label])[label]
    with metering(stack.environment["FIRESTORE_EMULATOR_HOST"]) as (meter, meter_port):
        stack.start_function(
            "list_jobs", port=port, label=label, FIRESTORE_EMULATOR_HOST=f"{ports.HOST}:{meter_port}"
        )
        try:
            stack.processes.wait_for(label, lambda: ports.answers(port))
            meter.delay, meter.stalls = delay, stalls
            answer, seconds = timed("GET", f"http://{ports.HOST}:{port}{path}", account.token)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert seconds < LONGEST
            assert meter.calls < 15
            meter.release()
            assert timed("GET", f"http://{ports.HOST}:{port}{path}", account.token)[0].status_code == 200
        finally:
            stack.processes.stop([label])
