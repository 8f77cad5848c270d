"""Kill any process that takes part in a delete, at any moment, and restart it: the job is purged in the end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import pytest
import requests

from infra.local import ports
from infra.local.users import Account
from tests.integration.faults.bench import Bench
from tests.integration.faults.erasing import erase, is_erased, new_account
from tests.integration.faults.histories import PATIENCE
from tests.jobs import document, new_id, read, read_entry
from tests.waiting import wait_until

DELETING = ("delete_job", "purge_job", "process_upload", "sweep_purges")
RESTORING = ("undelete_job", "restore_job")
ERASING = ("delete_jobs", "erase_jobs")
MOMENTS = ("before the delete", "after the delete", "at its first call", "at its third call")
USER = ("kills", "kills@nuumee.test", "test-password")


@pytest.fixture(scope="module")
def accounts(running_bench: Bench) -> list[Account]:
    """The last account is the one signed in now. A restart of Firebase Auth appends another."""
    return [running_bench.users.add(*USER)]


def new_job(bench: Bench, user_id: str) -> str:
    job_id = new_id()
    bench.database.collection("jobs").document(job_id).set(document(user_id))
    for bucket in bench.settings.buckets:
        bench.buckets.bucket(bucket).blob(f"{user_id}/{job_id}/file").upload_from_string(b"x")
    return job_id


def delete(bench: Bench, account: Account, job_id: str) -> bool:
    """Whether the delete was accepted."""
    return _is_accepted(account, "DELETE", f"{bench.url('delete_job')}/jobs/{job_id}")


def undelete(bench: Bench, account: Account, job_id: str) -> bool:
    """Whether the restore was accepted."""
    return _is_accepted(account, "POST", f"{bench.url('undelete_job')}/jobs/{job_id}/restore")


def _is_accepted(account: Account, method: str, url: str) -> bool:
    try:
        headers = {"Authorization": f"Bearer {account.token}"}
        return requests.request(method, url, headers=headers, timeout=30).status_code == 202
    except requests.RequestException:
        return False


def restart_function(bench: Bench, name: str) -> None:
    """Kill and restart all of the function's processes, not only an instance."""
    bench.stack.processes.kill(name)
    bench.start_function(name)
    bench.stack.processes.wait_for(name, partial(ports.answers, bench.port(name)))


def restart(bench: Bench, name: str, accounts: list[Account]) -> None:
    by_name: dict[str, Callable[[], None]] = {
        "firestore": bench.restart_firestore,
        "pubsub": bench.restart_pubsub,
        "storage": bench.restart_storage,
        "auth": lambda: accounts.append(bench.restart_auth(*USER)),
    }
    by_name.get(name, partial(restart_function, bench, name))()


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        *itertools.product((*DELETING, "firestore", "pubsub", "storage"), MOMENTS),
        # The other moments are calls of the purge, which does not use Auth.
        *itertools.product(("auth",), MOMENTS[:2]),
    ],
)
def test_deleted_job_is_purged_whichever_process_is_killed(
    bench: Bench, accounts: list[Account], name: str, moment: str
) -> None:
    user_id = accounts[-1].user_id
    job_id = new_job(bench, user_id)
    if moment == "before the delete":
        restart(bench, name, accounts)
    number = {"at its first call": 1, "at its third call": 3}.get(moment)
    # An emulator is killed at one of the purge's calls, a function at one of its own.
    killed = bench.kill_at(name if name in DELETING else "purge_job", number) if number else None
    wait_until(lambda: delete(bench, accounts[-1], job_id), PATIENCE)
    if moment == "after the delete":
        restart(bench, name, accounts)
    if killed is not None and name not in DELETING:
        wait_until(killed.is_set)
        restart(bench, name, accounts)

    def purged() -> bool:
        bench.sweep()
        purge = read_entry(bench.database, job_id)
        return bool(purge["state"] == "done") and not bench.contents(f"{user_id}/{job_id}/")

    wait_until(purged, PATIENCE)


@pytest.mark.parametrize(("name", "moment"), [*itertools.product(RESTORING, MOMENTS)])
def test_deleted_job_is_restored_whichever_process_is_killed(
    bench: Bench, accounts: list[Account], name: str, moment: str
) -> None:
    account = accounts[-1]
    job_id = new_job(bench, account.user_id)
    prefix = f"{account.user_id}/{job_id}/"
    before = read(bench.database, job_id), bench.contents(prefix)
    wait_until(lambda: delete(bench, account, job_id), PATIENCE)
    wait_until(lambda: read_entry(bench.database, job_id)["state"] == "done", PATIENCE)
    if moment == "before the delete":
        restart(bench, name, accounts)
    number = {"at its first call": 1, "at its third call": 3}.get(moment)
    killed = bench.kill_at(name, number) if number else None
    wait_until(lambda: undelete(bench, account, job_id), PATIENCE)
    if moment == "after the delete":
        restart(bench, name, accounts)

    def restored() -> bool:
        bench.sweep()
        return bool(read_entry(bench.database, job_id)["state"] == "restored")

    wait_until(restored, PATIENCE)
    assert killed is None or killed.is_set()
    assert (read(bench.database, job_id), bench.contents(prefix)) == before


@pytest.mark.parametrize(("name", "moment"), [*itertools.product(ERASING, MOMENTS)])
def test_all_jobs_are_erased_whichever_process_is_killed(bench: Bench, name: str, moment: str) -> None:
    account = new_account(bench, new_id())
    jobs = [new_job(bench, account.user_id) for _ in range(3)]
    if moment == "before the delete":
        restart_function(bench, name)
    number = {"at its first call": 1, "at its third call": 3}.get(moment)
    killed = bench.kill_at(name, number) if number else None
    wait_until(lambda: erase(bench, account, len(jobs), tries=3), PATIENCE)
    if moment == "after the delete":
        restart_function(bench, name)

    def erased() -> bool:
        bench.sweep()
        states = {read_entry(bench.database, job_id).get("state") for job_id in jobs}
        return states == {"done"} and is_erased(bench, account.user_id)

    wait_until(erased, PATIENCE)
    assert bench.contents(f"{account.user_id}/") == {}
    assert killed is None or killed.is_set()
