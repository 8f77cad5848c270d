"""A Cloud Storage for one test, in the test's process, with the faults that the test wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from infra.local.faults import Trouble
from infra.local.objects import VersionedStorage
from infra.local.ports import HOST
from infra.local.storage import server


def still() -> bool:
    """The deletion holds: a purge may go on."""
    return True


def store(contents: VersionedStorage, bucket: str, names: Iterable[str], content: bytes = b"12") -> None:
    """Put objects into a bucket, without a request for each."""
    now = datetime.now(UTC).isoformat()
    times = dict.fromkeys(("timeCreated", "updated", "timeStorageClassUpdated"), now)
    for name in names:
        generation = str(time.time_ns())
        resource = {
            "kind": "storage#object",
            "id": f"{bucket}/{name}/{generation}",
            "bucket": bucket,
            "name": name,
            "generation": generation,
            "metageneration": "1",
            "contentType": "application/octet-stream",
            "storageClass": "STANDARD",
            "size": len(content),
            **times,
        }
        contents.create_file(bucket, name, content, resource)


@contextmanager
def a_storage(
    trouble: Trouble, buckets: Sequence[str], contents: VersionedStorage | None = None
) -> Iterator[storage.Client]:
    """A client of a new Storage with these buckets, all empty. Its objects are in `contents`."""
    httpd = server(0, contents or VersionedStorage(), trouble)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    options = {"api_endpoint": f"http://{HOST}:{httpd.server_address[1]}"}
    client = storage.Client(project="p", credentials=AnonymousCredentials(), client_options=options)
    try:
        for name in buckets:
            client.create_bucket(name)
        yield client
    finally:
        trouble.heal()
        client.close()
        httpd.shutdown()
        thread.join()
        httpd.server_close()
