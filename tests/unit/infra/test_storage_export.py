"""The local cloud's Storage continues with the export of an earlier one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from infra.local import ports
from infra.local.objects import VersionedStorage
from infra.local.storage import EXPORT, server

NAMES = ("user/job/output.mp4", "user/jöb/a b%2Fc.mp4", "user/job")


@contextmanager
def serving(held: VersionedStorage) -> Iterator[storage.Client]:
    port = ports.any_free(["storage"])["storage"]
    with server(port, held) as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://{ports.HOST}:{port}"
        yield storage.Client("demo", AnonymousCredentials(), client_options={"api_endpoint": url})
        running.shutdown()


def listing(client: storage.Client) -> list[tuple[Any, ...]]:
    blobs = client.list_blobs("outputs", versions=True)
    return [(blob.name, blob.generation, blob.size, blob.content_type, blob.metadata) for blob in blobs]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return tmp_path / "objects.zip"


def test_everything_is_restored_without_new_notifications(exported: Path) -> None:
    before = VersionedStorage()
    before.exported_to = exported
    with serving(before) as client:
        bucket = client.create_bucket("outputs")
        bucket.versioning_enabled = True
        bucket.patch()
        for name in (*NAMES, NAMES[0], "user/deleted.mp4"):
            blob = bucket.blob(name)
            blob.metadata = {"of": "me"}
            blob.upload_from_string(f"content of {name}", content_type="video/mp4")
        bucket.delete_blob("user/deleted.mp4")
        found = listing(client)
        assert len(found) == len(NAMES) + 2
        requests.post(client._connection.API_BASE_URL + EXPORT, timeout=10).raise_for_status()

    told: list[str] = []
    after = VersionedStorage(lambda resource, overwritten: told.append(resource["name"]))
    after.load(exported)
    with serving(after) as client:
        bucket = client.get_bucket("outputs")
        assert bucket.versioning_enabled
        assert listing(client) == found
        assert {blob.name for blob in client.list_blobs("outputs")} == set(NAMES)
        for name in NAMES:
            # An object's own resource contains its address, and the earlier Storage had another port.
            assert bucket.get_blob(name).download_as_text() == f"content of {name}"
        assert told == []
        bucket.blob(NAMES[0]).upload_from_string("newer")
        assert told == [NAMES[0]]
        assert len(listing(client)) == len(found) + 1


def test_no_request_chooses_the_file_that_is_written(exported: Path) -> None:
    with serving(VersionedStorage()) as client:
        url = client._connection.API_BASE_URL + EXPORT
        answer = requests.post(url, params={"file": str(exported)}, timeout=10)
    assert answer.status_code >= 400
    assert not exported.exists()
