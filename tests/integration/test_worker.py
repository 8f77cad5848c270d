"""The local cloud's worker, on the stack: the files that it uploads complete its jobs."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import firestore, storage
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.local import worker as module
from infra.local.stack import Stack
from infra.local.worker import Worker
from tests.jobs import deleted, document, new_id, read
from tests.waiting import wait_until


def test_a_job_goes_through_every_state_and_another_comes_after_it(
    stack: Stack, database: firestore.Client, buckets: storage.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ACTIVE", 1)
    user, first, gone = new_id(), new_id(), new_id()
    database.collection("jobs").document(gone).set(deleted(user, status="pending"))
    fields = document(
        user, status="pending", completed_at=None, reference_image_path=f"{user}/{first}/reference.png"
    )
    database.collection("jobs").document(first).set(fields)
    worker = Worker(stack.settings, user)
    seen = []
    for _ in range(3):
        seen.append(read(database, first)["status"])
        worker.step()
    assert seen == ["pending", "queued", "processing"]
    wait_until(lambda: read(database, first)["status"] == "completed")

    worker.step()
    after = _other(database, user, {first, gone})
    assert (after["status"], after["source_job_id"]) == ("pending", first)
    assert after["reference_image_path"] == f"{user}/{first}/reference.png"
    for _ in range(3):
        worker.step()
    wait_until(lambda: _other(database, user, {first, gone})["status"] == "completed")
    outputs = buckets.list_blobs(stack.settings.outputs_bucket, prefix=f"{user}/")
    assert len({blob.md5_hash for blob in outputs}) == 1, "the same inputs give the same output"
    assert read(database, gone)["status"] == "pending"


def _other(database: firestore.Client, user: str, known: set[str]) -> dict[str, Any]:
    """The one job that is not in `known`."""
    mine = database.collection("jobs").where(filter=FieldFilter("user_id", "==", user)).get()
    (job,) = [snapshot.to_dict() for snapshot in mine if snapshot.id not in known]
    assert job is not None
    return job
