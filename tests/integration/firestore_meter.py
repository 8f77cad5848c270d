"""A proxy for Firestore that counts reads and writes on the wire, and can delay calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import grpc
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsResponse,
    CommitRequest,
    RunAggregationQueryResponse,
    RunQueryResponse,
)

from tests.integration.faults.grpc_proxy import authorization
from tests.waiting import wait_until

_SERVICE = "/google.firestore.v1.Firestore/"


class FirestoreMeter(grpc.GenericRpcHandler):  # type: ignore[misc]  # untyped
    """Forwards every call unchanged, and counts documents read, written and deleted, aggregations and calls."""

    def __init__(self, upstream: str) -> None:
        self._channel = grpc.insecure_channel(upstream)
        self._lock = threading.Lock()
        self._released = threading.Event()
        self.delay = 0.0
        """Seconds by which each call is delayed."""
        self.stalls = False
        """Whether each stream falls silent after its first message."""
        self._under_way = 0
        self.reset()

    def wait_until_idle(self) -> None:
        """Return once no call is in flight. A call that the client gave up is in flight until it ends here."""
        wait_until(lambda: self._under_way == 0)

    def reset(self) -> None:
        self.documents = self.aggregations = self.calls = self.writes = self.deletes = 0

    def service(self, details: Any) -> Any:
        method = details.method
        if method.removeprefix(_SERVICE) in ("Commit", "Rollback", "BeginTransaction"):
            call = self._channel.unary_unary(method)
            carry_out = self._commit if method == f"{_SERVICE}Commit" else _pass_on
            return grpc.unary_unary_rpc_method_handler(lambda request, context: carry_out(call, request, context))
        stream = self._channel.unary_stream(method)
        count = self._counter(method.removeprefix(_SERVICE))

        def forward(request: bytes, context: Any) -> Iterator[bytes]:
            with self._lock:
                self.calls += 1
                self._under_way += 1
            call = stream(request, metadata=authorization(context))
            try:
                self._released.wait(self.delay)
                for response in call:
                    with self._lock:
                        count(response)
                    yield response
                    if self.stalls:
                        self._released.wait(60)
            finally:
                # Count the rest even if the client stops early, because it has requested it.
                with suppress(grpc.RpcError):
                    for response in call:
                        with self._lock:
                            count(response)
                with self._lock:
                    self._under_way -= 1

        return grpc.unary_stream_rpc_method_handler(forward)

    def _commit(self, call: Any, request: bytes, context: Any) -> Any:
        writes = CommitRequest.deserialize(request).writes
        response = call(request, metadata=authorization(context))
        deletes = sum("delete" in write for write in writes)
        with self._lock:
            self.deletes += deletes
            self.writes += len(writes) - deletes
        return response

    def _counter(self, name: str) -> Callable[[bytes], None]:
        if name == "RunQuery":
            return self._query
        if name == "BatchGetDocuments":
            return self._get
        if name == "RunAggregationQuery":
            return self._aggregate
        raise AssertionError(f"the meter does not know what {name} costs")

    def _query(self, response: bytes) -> None:
        result = RunQueryResponse.deserialize(response)
        # Firestore also charges for documents that an offset skips.
        self.documents += ("document" in result) + result.skipped_results

    def _get(self, response: bytes) -> None:
        result = BatchGetDocumentsResponse.deserialize(response)
        self.documents += "found" in result or "missing" in result

    def _aggregate(self, response: bytes) -> None:
        self.aggregations += "result" in RunAggregationQueryResponse.deserialize(response)

    def release(self) -> None:
        """Stop delaying calls, and release those that are delayed now."""
        self.delay, self.stalls = 0.0, False
        self._released.set()

    def close(self) -> None:
        self._channel.close()


def _pass_on(call: Any, request: bytes, context: Any) -> Any:
    return call(request, metadata=authorization(context))


@contextmanager
def metering(upstream: str) -> Iterator[tuple[FirestoreMeter, int]]:
    """A meter, and the port that it listens on."""
    meter = FirestoreMeter(upstream)
    server = grpc.server(ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers((meter,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield meter, port
    finally:
        meter.release()
        server.stop(None).wait()
        meter.close()
