"""While one of Google's services is away, each function says so within ten seconds. It recovers by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from google.cloud import firestore

from infra.local import ports
from infra.local.stack import Stack
from infra.local.users import Account
from shared.deletion.erasures import Erasures, ErasureState
from tests.fake_firestore import SWEEP_AFTER
from tests.integration.firestore_meter import metering
from tests.integration.lines import Line, OnLines
from tests.jobs import NOW, deleted, document, entry, new_id, put_all, read_entry
from tests.waiting import wait_until

LONGEST = 10.0


@pytest.fixture(scope="module")
def running_on_lines(stack: Stack) -> Iterator[dict[str, OnLines]]:
    functions = {name: OnLines(stack, name) for name in dict.fromkeys(case[0] for case in CASES)}
    yield functions
    for function in functions.values():
        function.close()


@pytest.fixture
def on_lines(running_on_lines: dict[str, OnLines]) -> Iterator[dict[str, OnLines]]:
    """Each function of CASES. Afterwards its lines are mended."""
    yield running_on_lines
    for function in running_on_lines.values():
        function.mend()


def timed(method: str, url: str, token: str) -> tuple[requests.Response, float]:
    began = time.monotonic()
    body = {"name": "First try"} if method == "PATCH" else None
    answer = requests.request(method, url, headers={"Authorization": f"Bearer {token}"}, json=body, timeout=30)
    return answer, time.monotonic() - began


@pytest.fixture
def job(account: Account, database: firestore.Client) -> str:
    """A job that was deleted and has come back, so that it has a receipt."""
    job_id = new_id()
    database.collection("jobs").document(job_id).set(document(account.user_id))
    buckets = {"nuumee-images": {"objects": 1, "bytes": 1, "removed_at": NOW}}
    before = entry(account.user_id, state="restored", sweep_at=None, buckets=buckets)
    database.collection("deletions").document(job_id).set(before)
    return job_id


CASES = [
    ("list_jobs", "firestore", "GET", "/jobs"),
    ("list_jobs", "firestore", "GET", "/jobs?include=counts&id_prefix=a"),
    ("list_jobs", "firestore", "GET", "/jobs/{id}"),
    ("list_jobs", "firestore", "GET", "/jobs/{id}/deletion"),
    ("get_thumbnails", "firestore", "GET", "/jobs/{id}/thumbnails"),
    ("get_output", "firestore", "GET", "/jobs/{id}/output"),
    ("rename_job", "firestore", "PATCH", "/jobs/{id}"),
    ("delete_job", "firestore", "DELETE", "/jobs/{id}"),
    ("list_jobs", "firestore", "GET", "/jobs/erasure"),
    ("delete_jobs", "firestore", "DELETE", "/jobs?confirm=1"),
    ("delete_jobs", "auth", "DELETE", "/jobs?confirm=1"),
    ("list_jobs", "storage", "GET", "/jobs?include=media"),
    ("get_thumbnails", "storage", "GET", "/jobs/{id}/thumbnails"),
    ("get_output", "storage", "GET", "/jobs/{id}/output"),
    ("delete_job", "auth", "DELETE", "/jobs/{id}"),
    ("list_jobs", "firestore", "GET", "/jobs?deleted=true"),
    ("undelete_job", "firestore", "POST", "/jobs/{id}/restore"),
    ("undelete_job", "auth", "POST", "/jobs/{id}/restore"),
    ("share_job", "firestore", "POST", "/jobs/{id}/share"),
]


FAILURES: dict[str, Callable[[Line], None]] = {
    "silent": Line.cut,
    "refusing": Line.refuse,
    "slow": lambda line: line.slow_down(4),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("service", ["firestore", "storage", "auth"])
def test_outage_is_answered_503_in_time_and_requests_succeed_once_it_is_over(
    on_lines: dict[str, OnLines], account: Account, job: str, service: str, failure: str
) -> None:
    # The counts run in parallel, so they arrive in time from a slow Firestore.
    cases = [case for case in CASES if case[1] == service and not (failure == "slow" and "counts" in case[3])]
    for name in {case[0] for case in cases}:
        FAILURES[failure](on_lines[name].lines[service])

    def ask(function: str, service: str, method: str, path: str) -> tuple[requests.Response, float]:
        return timed(method, on_lines[function].url + path.format(id=job), account.token)

    with ThreadPoolExecutor(len(cases)) as threads:
        answers = list(threads.map(ask, *zip(*cases, strict=True)))
    for case, (answer, seconds) in zip(cases, answers, strict=True):
        assert answer.status_code == 503, case
        assert int(answer.headers["Retry-After"]) > 0, case
        assert seconds < LONGEST, case
    for function in on_lines.values():
        function.mend()
    for case in cases:
        # The delete above may have been carried out: then there is another number of jobs to confirm.
        at_last = (202, 409) if case[0] == "delete_jobs" else (200, 202, 404)
        wait_until(lambda case=case, at_last=at_last: ask(*case)[0].status_code in at_last)  # type: ignore[misc]


@pytest.mark.parametrize("failure", FAILURES)
def test_each_wish_is_accepted_in_time_while_pubsub_is_away(
    on_lines: dict[str, OnLines],
    account: Account,
    new_account: Callable[[], Account],
    job: str,
    database: firestore.Client,
    failure: str,
) -> None:
    gone, eraser = new_id(), new_account()
    database.collection("jobs").document(gone).set(deleted(account.user_id))
    database.collection("deletions").document(gone).set(entry(account.user_id, state="done", sweep_at=None))
    wishes = {
        "delete_job": ("DELETE", f"/jobs/{job}", account.token),
        "undelete_job": ("POST", f"/jobs/{gone}/restore", account.token),
        "delete_jobs": ("DELETE", "/jobs?confirm=0", eraser.token),
    }
    for name in wishes:
        FAILURES[failure](on_lines[name].lines["pubsub"])

    def ask(name: str) -> tuple[requests.Response, float]:
        method, path, token = wishes[name]
        return timed(method, on_lines[name].url + path, token)

    with ThreadPoolExecutor(len(wishes)) as threads:
        answers = dict(zip(wishes, threads.map(ask, wishes), strict=True))
    assert {name: answer.status_code for name, (answer, _) in answers.items()} == dict.fromkeys(wishes, 202)
    assert max(seconds for _, seconds in answers.values()) < LONGEST
    assert answers["delete_job"][0].json()["purge"] == "pending"
    assert [read_entry(database, one)["state"] for one in (job, gone)] == ["pending", "restoring"]
    erasure = Erasures(database, SWEEP_AFTER).latest(eraser.user_id)
    assert erasure
    assert (erasure.id, erasure.state) == (answers["delete_jobs"][0].json()["erasure"], ErasureState.PENDING)


def test_silent_storage_does_not_delay_requests_that_need_none(
    on_lines: dict[str, OnLines], account: Account, database: firestore.Client
) -> None:
    url, line = on_lines["list_jobs"].url, on_lines["list_jobs"].lines["storage"]
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
def test_slow_or_stalled_firestore_is_given_up_in_time(
    stack: Stack, account: Account, database: firestore.Client, delay: float, stalls: bool, path: str
) -> None:
    put_all(database, [document(account.user_id) for _ in range(30)])
    label = "list_jobs-slow"
    port = ports.any_free([label])[label]
    with metering(stack.environment["FIRESTORE_EMULATOR_HOST"]) as (meter, meter_port):
        stack.start_variant(
            "list_jobs", label, port, PATIENCE="1", FIRESTORE_EMULATOR_HOST=f"{ports.HOST}:{meter_port}"
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
