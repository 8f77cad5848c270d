"""Kill any process that takes part in a delete, at any moment, and restart it: the job is purged in the end.

Between two requests, after the one and before the other, all of them are killed in turn. During the work a
function is killed alone, and an emulator together with the purge that calls it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import pytest
import requests

from infra.local import ports
from infra.local.users import Account
from tests.integration.faults.bench import PATIENCE, Bench
from tests.integration.faults.erasing import erase, erasures, is_erased, new_account
from tests.jobs import document, new_id, read, read_entry
from tests.waiting import wait_until

DELETING = ("delete_job", "process_upload", "sweep_purges")
RESTORING = ("undelete_job", "restore_job")
ERASING = ("delete_jobs", "erase_jobs")
EMULATORS = ("firestore", "pubsub", "storage")
EVERYTHING = ("purge_job", *EMULATORS, "auth", "delete_job", "process_upload", "sweep_purges")
"""What the next step of a deletion needs comes first."""
CALLS = (1, 3)
"""purge_job is killed at these calls too, along with an emulator; alone, and without files, in test_bench.py."""
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


def is_purged(bench: Bench, job_id: str) -> bool:
    return bool(read_entry(bench.database, job_id)["state"] == "done") and not bench.contents(
        f"{USER[0]}/{job_id}/"
    )


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


def restart(bench: Bench, accounts: list[Account], *names: str) -> None:
    by_name: dict[str, Callable[[], None]] = {
        "firestore": bench.restart_firestore,
        "pubsub": bench.restart_pubsub,
        "storage": bench.restart_storage,
        "auth": lambda: accounts.append(bench.restart_auth(*USER)),
    }
    for name in names:
        by_name.get(name, partial(restart_function, bench, name))()


def test_deleted_jobs_are_purged_although_everything_is_killed_between_their_requests(
    bench: Bench, accounts: list[Account]
) -> None:
    jobs = [new_job(bench, USER[0]) for _ in range(2)]
    wait_until(lambda: delete(bench, accounts[-1], jobs[0]), PATIENCE)
    restart(bench, accounts, *EVERYTHING)
    wait_until(lambda: delete(bench, accounts[-1], jobs[1]), PATIENCE)
    bench.sweep_until(lambda: all(is_purged(bench, job_id) for job_id in jobs))


@pytest.mark.parametrize(
    ("name", "call"), [*itertools.product((*DELETING, "firestore", "storage"), CALLS), ("pubsub", CALLS[1])]
)
def test_deleted_job_is_purged_whichever_process_is_killed_at_a_call(
    bench: Bench, accounts: list[Account], name: str, call: int
) -> None:
    job_id = new_job(bench, USER[0])
    # An emulator is killed at one of the purge's calls, a function at one of its own.
    killed = bench.kill_at(name if name in DELETING else "purge_job", call)
    wait_until(lambda: delete(bench, accounts[-1], job_id), PATIENCE)
    if name in EMULATORS:
        wait_until(killed.is_set)
        restart(bench, accounts, name)
    if name in ("delete_job", "sweep_purges"):
        bench.sweep_until(killed.is_set)
    bench.sweep_until(partial(is_purged, bench, job_id))


def test_deleted_jobs_are_restored_although_both_functions_are_killed_between_their_requests(
    bench: Bench, accounts: list[Account]
) -> None:
    def undelete_them(account: Account, first: str, second: str) -> None:
        wait_until(lambda: undelete(bench, account, first), PATIENCE)
        restart(bench, accounts, *RESTORING)
        wait_until(lambda: undelete(bench, account, second), PATIENCE)

    expect_restored(bench, accounts[-1], undelete_them, jobs=2)


@pytest.mark.parametrize(("name", "call"), [*itertools.product(RESTORING, CALLS)])
def test_deleted_job_is_restored_whichever_function_is_killed_at_a_call(
    bench: Bench, accounts: list[Account], name: str, call: int
) -> None:
    def undelete_it(account: Account, job_id: str) -> None:
        killed = bench.kill_at(name, call)
        wait_until(lambda: undelete(bench, account, job_id), PATIENCE)
        bench.sweep_until(killed.is_set)

    expect_restored(bench, accounts[-1], undelete_it)


def expect_restored(bench: Bench, account: Account, undelete_them: Callable[..., None], jobs: int = 1) -> None:
    """Delete jobs, take them back with `undelete_them`, and expect their documents and files to be as before."""
    ids = [new_job(bench, account.user_id) for _ in range(jobs)]

    def found() -> list[object]:
        contents = bench.contents(f"{account.user_id}/")
        return [
            (read(bench.database, job_id), {name: one for name, one in contents.items() if job_id in name[1]})
            for job_id in ids
        ]

    def are(state: str) -> bool:
        return {read_entry(bench.database, job_id)["state"] for job_id in ids} == {state}

    before = found()
    for job_id in ids:
        wait_until(partial(delete, bench, account, job_id), PATIENCE)
    wait_until(lambda: are("done"), PATIENCE)
    undelete_them(account, *ids)
    bench.sweep_until(lambda: are("restored"))
    assert found() == before


def test_all_jobs_are_erased_although_both_functions_are_killed_between_two_requests(bench: Bench) -> None:
    accounts = [new_account(bench, new_id()) for _ in range(2)]
    jobs = [[new_job(bench, account.user_id) for _ in range(3)] for account in accounts]
    wait_until(lambda: is_requested(bench, accounts[0], 3), PATIENCE)
    restart(bench, accounts, *ERASING)
    wait_until(lambda: is_requested(bench, accounts[1], 3), PATIENCE)
    for account, of_it in zip(accounts, jobs, strict=True):
        expect_erased(bench, account, of_it)


@pytest.mark.parametrize(("name", "call"), [*itertools.product(ERASING, CALLS)])
def test_all_jobs_are_erased_whichever_function_is_killed_at_a_call(bench: Bench, name: str, call: int) -> None:
    account = new_account(bench, new_id())
    jobs = [new_job(bench, account.user_id) for _ in range(3)]
    killed = bench.kill_at(name, call)
    wait_until(lambda: is_requested(bench, account, len(jobs)), PATIENCE)
    expect_erased(bench, account, jobs)
    assert killed.is_set()


def is_requested(bench: Bench, account: Account, jobs: int) -> bool:
    """Whether the erasure was accepted, also if its answer was lost."""
    return erase(bench, account, jobs, tries=3) or bool(erasures(bench, account.user_id))


def expect_erased(bench: Bench, account: Account, jobs: list[str]) -> None:
    def erased() -> bool:
        states = {read_entry(bench.database, job_id).get("state") for job_id in jobs}
        return states == {"done"} and is_erased(bench, account.user_id)

    bench.sweep_until(erased)
    assert bench.contents(f"{account.user_id}/") == {}
