"""One thing fails, and everything else still works."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from infra.local.client import Client
from infra.local.users import Account
from tests.faults import Fault, Kind
from tests.integration.faults.bench import Bench
from tests.jobs import document, new_id, read_entry
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def account(running_bench: Bench) -> Account:
    return running_bench.users.add("single", "single@nuumee.test", "test-password")


@pytest.fixture
def job_id(bench: Bench, account: Account) -> str:
    """A job with twelve objects."""
    job_id = new_id()
    bench.database.collection("jobs").document(job_id).set(document(account.user_id))
    for bucket, number in itertools.product(bench.settings.buckets, range(4)):
        bench.buckets.bucket(bucket).blob(f"{account.user_id}/{job_id}/{number}").upload_from_string(b"x")
    return job_id


def delete(bench: Bench, account: Account, job_id: str) -> None:
    Client(bench.url("delete_job"), account.token).delete(f"/jobs/{job_id}")


def names(bench: Bench, account: Account, job_id: str) -> set[tuple[str, str]]:
    return set(bench.contents(f"{account.user_id}/{job_id}/"))


def is_done(bench: Bench, job_id: str) -> bool:
    return bool(read_entry(bench.database, job_id)["state"] == "done")


def test_failed_publish_is_retried_without_a_sweep(bench: Bench, account: Account, job_id: str) -> None:
    tries: list[str] = []

    def fail_once(call: str) -> Fault | None:
        if "Publish" in call:
            tries.append(call)
        return Fault(Kind.UNAVAILABLE) if len(tries) == 1 else None

    bench.trouble["delete_job", "pubsub"].on_call = fail_once
    delete(bench, account, job_id)
    wait_until(partial(is_done, bench, job_id))
    assert len(tries) == 2
    assert names(bench, account, job_id) == set()


def test_one_undeletable_object_does_not_save_the_others(bench: Bench, account: Account, job_id: str) -> None:
    stuck = (bench.settings.videos_bucket, f"{account.user_id}/{job_id}/1")

    def refuse(call: str) -> Fault | None:
        method, _, path = call.partition(" ")
        of_it = stuck[0] in path and path.partition("?")[0].endswith(f"{job_id}%2F1")
        return Fault(Kind.ERROR) if method == "DELETE" and of_it else None

    # If an upload's notification comes after the delete, process_upload removes the object.
    for function in ("purge_job", "process_upload"):
        bench.trouble[function, "storage"].on_call = refuse
    delete(bench, account, job_id)
    wait_until(lambda: names(bench, account, job_id) == {stuck}, 60)
    assert not is_done(bench, job_id), "the purge is done although an object is left"
    bench.heal()
    bench.sweep_until(partial(is_done, bench, job_id))
    assert names(bench, account, job_id) == set()
