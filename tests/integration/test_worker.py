"""The local cloud's worker, on the stack: the files that it uploads complete its jobs."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import firestore, storage
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.local import worker as module
from infra.local.stack import Stack
from infra.local.worker import Worker
from tests.e2e.shelf import MEDIA
from tests.jobs import deleted, document, new_id, read
from tests.waiting import wait_until


def test_a_job_goes_through_every_state_and_another_comes_after_it(
    stack: Stack, database: firestore.Client, buckets: storage.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ACTIVE", 1)
    user, first, gone = new_id(), new_id(), new_id()
    database.collection("jobs").document(gone).set(deleted(user, status="pending"))
    reference, motion = f"{user}/{first}/reference.png", f"{user}/{first}/motion.mp4"
    buckets.bucket("nuumee-images").blob(reference).upload_from_filename(MEDIA / "reference-moss.png")
    buckets.bucket("nuumee-videos").blob(motion).upload_from_filename(MEDIA / "motion-jump.mp4")
    paths = {"reference_image_path": reference, "motion_video_path": motion}
    fields = document(user, status="pending", completed_at=None, **paths)
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
    assert after["reference_image_path"] == reference
    for _ in range(3):
        worker.step()
    wait_until(lambda: _other(database, user, {first, gone})["status"] == "completed")
    outputs = [
        blob
        for blob in buckets.list_blobs("nuumee-outputs", prefix=f"{user}/")
        if blob.name.endswith("output.mp4")
    ]
    assert [blob.size for blob in outputs] == [(MEDIA / "output-moss-jump.mp4").stat().st_size] * 2
    assert read(database, gone)["status"] == "pending"


def _other(database: firestore.Client, user: str, known: set[str]) -> dict[str, Any]:
    """The one job that is not in `known`."""
    mine = database.collection("jobs").where(filter=FieldFilter("user_id", "==", user)).get()
    (job,) = [snapshot.to_dict() for snapshot in mine if snapshot.id not in known]
    assert job is not None
    return job
