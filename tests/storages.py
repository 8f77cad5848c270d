"""Cloud Storage in the test's process, with the faults that the test wants."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from infra.local.objects import VersionedStorage
from infra.local.ports import HOST
from infra.local.servers import Server
from infra.local.storage import Handler, server
from tests.faults import Kind, Trouble, reset

_REFUSALS = {Kind.HELD: "objectUnderActiveHold", Kind.RETAINED: "retentionPolicyNotMet"}


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


class TroubledHandler(Handler):
    """One request, which meets the trouble before it has any effect."""

    def __init__(self, trouble: Trouble, *args: Any) -> None:
        self._trouble = trouble
        super().__init__(*args)

    def _carried_out(self) -> bytes:
        """Raises ConnectionError if there is no response: that ends the connection."""
        fault = self._trouble.meet(f"{self.command} {self.path}")
        if fault is None:
            return super()._carried_out()
        answer = super()._carried_out() if fault.carried_out or fault.kind is Kind.SLOW else b""
        self._trouble.hold_up(fault.kind)
        if fault.kind is Kind.SLOW:
            return answer
        if fault.kind is Kind.SILENCE:
            raise ConnectionAbortedError
        if fault.kind is Kind.RESET:
            reset(self.connection)
            raise ConnectionResetError
        self.wfile = spoiled = io.BytesIO()
        self._refuse(int(fault.kind.value), _REFUSALS.get(fault.kind, "backendError"), "The test wants it so.")
        return spoiled.getvalue()


def troubled(
    port: int, contents: VersionedStorage, trouble: Trouble, keys: Mapping[str, str] | None = None
) -> Server:
    """Cloud Storage on `port`, not started yet, whose requests meet the trouble."""
    return server(port, contents, keys, partial(TroubledHandler, trouble))


@contextmanager
def a_storage(
    trouble: Trouble, buckets: Sequence[str], contents: VersionedStorage | None = None
) -> Iterator[storage.Client]:
    """A client of a new Storage with these buckets, all empty. Its objects are in `contents`."""
    httpd = troubled(0, contents or VersionedStorage(), trouble)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
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
