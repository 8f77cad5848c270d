"""A proxy for Firestore that keeps all documents when the emulator behind it is replaced."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from google.cloud.firestore_v1.types import (
    CommitRequest,
    CommitResponse,
    Document,
    RunQueryRequest,
    RunQueryResponse,
    Write,
)

from tests.faults import Fault, Trouble
from tests.integration.faults.grpc_proxy import OWNER, GrpcProxy, Upstream

_SERVICE = "/google.firestore.v1.Firestore"
_AT_ONCE = 400
_LARGEST = 3_000_000
"""Bytes. The emulator takes messages of 4 MiB, and a document holds up to 1 MiB."""
_DOCUMENT = re.compile(rb"/documents/([A-Za-z0-9_/-]+)")


class Firestore(Upstream):
    """An emulator. It keeps its documents in memory."""

    def __init__(self, host: str, project: str) -> None:
        super().__init__(host)
        self._database = f"projects/{project}/databases/(default)"
        self.writing = threading.Lock()
        """Held by one write at a time, and while the emulator is replaced, so no acknowledged write is lost."""

    @contextmanager
    def gone(self) -> Iterator[Callable[[str], None]]:
        """Within, kill the emulator, start another, and call the yielded function with its host to fill it."""
        with self.writing:
            documents = list(self._documents())
            self.part()

            def fill(host: str) -> None:
                self.meet(host)
                self._write(documents)
                self.present.set()

            yield fill

    def _documents(self) -> Iterator[Document]:
        query = {"from_": [{"all_descendants": True}]}
        request = RunQueryRequest(parent=f"{self._database}/documents", structured_query=query)
        run = self.channel.unary_stream(
            f"{_SERVICE}/RunQuery",
            request_serializer=RunQueryRequest.serialize,
            response_deserializer=RunQueryResponse.deserialize,
        )
        return (
            response.document for response in run(request, timeout=30, metadata=OWNER) if "document" in response
        )

    def _write(self, documents: list[Document]) -> None:
        commit = self.channel.unary_unary(
            f"{_SERVICE}/Commit",
            request_serializer=CommitRequest.serialize,
            response_deserializer=CommitResponse.deserialize,
        )
        for part in _parts(documents):
            writes = [Write(update=Document(name=one.name, fields=one.fields)) for one in part]
            commit(
                CommitRequest(database=self._database, writes=writes),
                timeout=30,
                wait_for_ready=True,
                metadata=OWNER,
            )


def _parts(documents: list[Document]) -> Iterator[list[Document]]:
    """The documents in parts that the emulator takes in one request."""
    part: list[Document] = []
    size = 0
    for document in documents:
        length = Document.pb(document).ByteSize()
        if part and (len(part) == _AT_ONCE or size + length > _LARGEST):
            yield part
            part, size = [], 0
        part.append(document)
        size += length
    if part:
        yield part


class FirestoreProxy(GrpcProxy):
    unary = frozenset(
        {
            *("Commit", "BatchWrite", "BeginTransaction", "Rollback", "CreateDocument", "DeleteDocument"),
            *("UpdateDocument", "GetDocument", "ListDocuments", "ListCollectionIds", "PartitionQuery"),
        }
    )
    _writes = frozenset({"Commit", "BatchWrite", "CreateDocument", "DeleteDocument", "UpdateDocument"})

    def __init__(self, firestore: Firestore, trouble: Trouble | None) -> None:
        super().__init__(firestore, trouble)
        self._firestore = firestore

    def called(self, name: str, request: bytes) -> str:
        """The call's name with the documents that it names, as in "Commit jobs/1"."""
        return " ".join((name, *(found.decode() for found in _DOCUMENT.findall(request))))

    def carry_out(self, name: str, request: bytes, call: Callable[[bytes], bytes], fault: Fault | None) -> bytes:
        if name not in self._writes:
            return call(request)
        with self._firestore.writing:
            return call(request)
