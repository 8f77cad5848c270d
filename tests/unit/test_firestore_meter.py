from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.cloud.firestore_v1.types import CommitRequest, Document, RunQueryResponse, Write

from tests.integration.firestore_meter import metering

RUN_QUERY = "/google.firestore.v1.Firestore/RunQuery"
COMMIT = "/google.firestore.v1.Firestore/Commit"
DOCUMENTS = 64


class SlowFirestore(grpc.GenericRpcHandler):  # type: ignore[misc]  # untyped
    """Answers every query with 64 documents, one after the other, and every commit with nothing."""

    def service(self, details: Any) -> Any:
        if details.method == COMMIT:
            return grpc.unary_unary_rpc_method_handler(lambda request, context: b"")

        def run_query(request: bytes, context: Any) -> Iterator[bytes]:
            for number in range(DOCUMENTS):
                time.sleep(0.005)
                yield bytes(RunQueryResponse.serialize(RunQueryResponse(document=Document(name=str(number)))))

        return grpc.unary_stream_rpc_method_handler(run_query)


@pytest.fixture
def firestore() -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((SlowFirestore(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def test_documents_count_as_read_although_the_client_stops_early(firestore: str) -> None:
    with metering(firestore) as (meter, port), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answers = channel.unary_stream(RUN_QUERY)(b"")
        for _ in range(3):
            next(answers)
        answers.cancel()
        meter.wait_until_idle()
        assert (meter.calls, meter.documents) == (1, DOCUMENTS)


def test_writes_and_deletes_of_a_commit_count_apart(firestore: str) -> None:
    writes = [Write(update=Document(name="a")), Write(update=Document(name="b")), Write(delete="c")]
    with metering(firestore) as (meter, port), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        channel.unary_unary(COMMIT)(CommitRequest.serialize(CommitRequest(writes=writes)))
        assert (meter.writes, meter.deletes, meter.documents) == (2, 1, 0)
