"""Job documents, as the product's own job service writes them."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from google.api_core.exceptions import InvalidArgument
from google.cloud import firestore

from shared.deletion.purge import Deletion, DeletionState

NOW = datetime(2026, 11, 22, 12, 7, 30, 250000, tzinfo=UTC)
_numbers = itertools.count(1)


def new_id() -> str:
    return uuid.uuid4().hex


def document(user_id: str, **changes: Any) -> dict[str, Any]:
    """A live, completed job; each is a minute older than the one before it."""
    fields = {
        "user_id": user_id,
        "job_type": "animate",
        "status": "completed",
        "resolution": "720p",
        "seed": 7,
        "credits_charged": 10,
        "created_at": NOW - timedelta(minutes=next(_numbers)),
        "updated_at": NOW,
        "completed_at": NOW,
        "view_count": 3,
    }
    return {**fields, **changes}


def put_all(database: firestore.Client, documents: list[dict[str, Any]], begin: str = "") -> list[str]:
    """Write the documents, in batches of Firestore's maximum size. Returns their new ids, which start with
    `begin`.
    """
    job_ids = [begin + new_id() for _ in documents]
    for start in range(0, len(documents), 500):
        batch = database.batch()
        for job_id, fields in zip(job_ids[start : start + 500], documents[start : start + 500], strict=True):
            batch.set(database.collection("jobs").document(job_id), fields)
        batch.commit()
    return job_ids


def read(database: firestore.Client, job_id: str) -> dict[str, Any]:
    """The job's current fields; empty if there is no such job."""
    return database.collection("jobs").document(job_id).get().to_dict() or {}


def fill(database: firestore.Client, job_id: str, fields: dict[str, Any]) -> None:
    """Write a document that has no room left: https://firebase.google.com/docs/firestore/quotas#limits"""
    reference = database.collection("jobs").document(job_id)
    name = _bytes("jobs") + _bytes(job_id) + 16
    room = 1_048_576 - name - _bytes({**fields, "extension_prompt": ""}) - 32
    reference.set({**fields, "extension_prompt": "x" * room})
    with pytest.raises(InvalidArgument):
        reference.set({**fields, "extension_prompt": "x" * (room + 1)})


def _bytes(value: Any) -> int:
    """What a value takes in a document: https://firebase.google.com/docs/firestore/storage-size"""
    match value:
        case None | bool():
            return 1
        case str():
            return len(value.encode()) + 1
        case dict():
            return sum(_bytes(name) + _bytes(one) for name, one in value.items())
        case list():
            return sum(map(_bytes, value))
    return 8  # a number or a time


def empty(emulator: str, project: str) -> None:
    """Remove every document of the project from the emulator at that host and port."""
    everything = f"http://{emulator}/emulator/v1/projects/{project}/databases/(default)/documents"
    requests.delete(everything, timeout=60).raise_for_status()


def deleted(user_id: str, **changes: Any) -> dict[str, Any]:
    """The document of a deleted job; with `purge`, as code before the ledger left it."""
    return document(user_id, **{"deleted_at": NOW, "deleted_by": user_id, **changes})


def entry(user_id: str, **changes: Any) -> dict[str, Any]:
    """The ledger's entry of a deletion, due five minutes after it."""
    pending = {"state": "pending", "attempts": 0, "sweeps": 0, "sweep_at": NOW + timedelta(minutes=5)}
    return {"user_id": user_id, "requested_at": NOW, "requested_by": user_id, **pending, **changes}


def read_entry(database: firestore.Client, job_id: str) -> dict[str, Any]:
    """The ledger's entry of the job; empty if there is none."""
    return database.collection("deletions").document(job_id).get().to_dict() or {}


def is_owed(deletion: Deletion, now: datetime) -> bool:
    """Whether a sweep at that time asks for the purge again."""
    return deletion.state is DeletionState.PENDING and (deletion.sweep_at is None or deletion.sweep_at <= now)
