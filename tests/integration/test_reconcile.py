"""`python -m infra.reconcile` against the emulators, on buckets of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from google.cloud import firestore, storage

from infra.local.stack import Stack
from infra.reconcile import main
from tests.integration.programs import run_main, run_module
from tests.jobs import NOW, deleted, document, entry, new_id, read_entry

Reconcile = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def names(buckets: storage.Client) -> list[str]:
    """Three buckets that no other test uses."""
    made = [f"reconcile-{new_id()}" for _ in range(3)]
    for name in made:
        buckets.create_bucket(name)
    return made


@pytest.fixture
def database(stack: Stack) -> firestore.Client:
    """A database without jobs of other tests."""
    return firestore.Client(project=f"reconcile-{new_id()}")


@pytest.fixture
def environment(stack: Stack, database: firestore.Client, names: list[str]) -> dict[str, str]:
    variables = dict(zip(("IMAGES_BUCKET", "VIDEOS_BUCKET", "OUTPUTS_BUCKET"), names, strict=True))
    return {**os.environ, **stack.environment, **variables, "GOOGLE_CLOUD_PROJECT": str(database.project)}


@pytest.fixture
def reconcile(environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Reconcile:
    """What the program does in a process of its own, done in this one."""

    def run(*options: str, **changes: str) -> subprocess.CompletedProcess[str]:
        command = ["-m", f"--checkpoint={tmp_path / 'checkpoint'}", *options]
        return run_main(main, command, {**environment, **changes}, capsys)

    return run


def put(database: firestore.Client, fields: dict[str, object]) -> str:
    job_id = new_id()
    database.collection("jobs").document(job_id).set(fields)
    return job_id


def test_what_agrees_is_counted_and_is_no_failure(
    database: firestore.Client,
    buckets: storage.Client,
    names: list[str],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    job_id = put(database, document("me"))
    buckets.bucket(names[0]).blob(f"me/{job_id}/reference.png").upload_from_string(b"12345")
    checkpoint = tmp_path / "checkpoint"
    done = run_module("infra.reconcile", f"--checkpoint={checkpoint}", environment=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == f"reconcile: {names[0]}: live 1 (5 bytes)"
    assert done.stdout.splitlines()[-1] == "reconcile: 0 disagreement(s)"


def test_a_purge_that_is_said_to_be_done_and_is_not_is_told_and_with_repair_opened_again(
    database: firestore.Client,
    buckets: storage.Client,
    names: list[str],
    reconcile: Reconcile,
    tmp_path: Path,
) -> None:
    job_id, old = put(database, deleted("me")), put(database, deleted("me", purge={"state": "done"}))
    done_entry = entry("me", state="done", sweep_at=None)
    database.collection("deletions").document(job_id).set(done_entry)
    blob = buckets.bucket(names[2]).blob(f"me/{job_id}/output.mp4")
    blob.upload_from_string(b"12345")
    done = reconcile()
    assert done.returncode == 1
    assert f"said-done\t{names[2]}/me/{job_id}/\t1 objects\t5 bytes" in done.stdout
    assert f"old-form\tjobs/{old}\t" in done.stdout
    assert read_entry(database, job_id) == done_entry
    assert not (tmp_path / "checkpoint").exists()

    done = reconcile("--repair")
    assert (done.returncode, read_entry(database, job_id)["state"]) == (0, "pending")
    assert read_entry(database, old)["state"] == "done"
    assert blob.exists(), "a reconciliation itself removes nothing"


def test_objects_of_no_job_are_told_and_left(
    buckets: storage.Client, names: list[str], reconcile: Reconcile
) -> None:
    blob = buckets.bucket(names[1]).blob(f"me/{new_id()}/motion.mp4")
    blob.upload_from_string(b"1")
    assert reconcile().returncode == 0, "it may be of a job that is only about to be made"
    done = reconcile("--repair", "--grace-hours=0")
    assert done.returncode == 1, "it is left to somebody"
    assert done.stdout.startswith("unknown\t")
    assert blob.exists()


def test_a_restore_that_does_not_end_is_told_and_left(database: firestore.Client, reconcile: Reconcile) -> None:
    job_id = put(database, deleted("me"))
    stuck = entry("me", state="restoring", restore_requested_at=NOW)
    database.collection("deletions").document(job_id).set(stuck)
    done = reconcile("--repair")
    assert (done.returncode, f"restoring\tjobs/{job_id}\t" in done.stdout) == (1, True)


def test_a_restored_job_that_other_code_has_marked_since_is_told_and_left(
    database: firestore.Client, reconcile: Reconcile
) -> None:
    job_id = put(database, marked := deleted("me"))
    before = NOW - timedelta(hours=1)
    restored = entry("me", state="restored", requested_at=before, restored_at=before, sweep_at=None)
    database.collection("deletions").document(job_id).set(restored)
    done = reconcile("--repair")
    assert (done.returncode, f"marked-again\tjobs/{job_id}\t" in done.stdout) == (1, True)
    assert database.collection("jobs").document(job_id).get().to_dict() == marked


def test_a_run_goes_on_from_its_checkpoint(
    database: firestore.Client, buckets: storage.Client, names: list[str], reconcile: Reconcile, tmp_path: Path
) -> None:
    for name in ("me/a/1", "me/b/1"):
        buckets.bucket(names[0]).blob(name).upload_from_string(b"1")
    counted = {names[0]: {"unknown": [1, 1]}}
    run = f"{database.project}: {', '.join(names)} --grace-hours=0"
    checkpoint = {"run": run, "bucket": 0, "after": "me/a/1", "counted": counted, "findings": 1}
    (tmp_path / "checkpoint").write_text(json.dumps(checkpoint))
    done = reconcile("--grace-hours=0")
    assert [line for line in done.stdout.splitlines() if line.startswith("unknown")] == [
        f"unknown\t{names[0]}/me/b/\t1 objects\t1 bytes"
    ]
    assert f"reconcile: {names[0]}: unknown 2 (2 bytes)" in done.stdout


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"GOOGLE_CLOUD_PROJECT": ""}, "GOOGLE_CLOUD_PROJECT is not set"),
        ({"VIDEOS_BUCKET": "there-is-no-such-bucket"}, "there-is-no-such-bucket"),
        ({"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}, "Firestore cannot be reached"),
    ],
)
def test_what_is_wrong_is_named(reconcile: Reconcile, changes: dict[str, str], complaint: str) -> None:
    done = reconcile(**changes)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
