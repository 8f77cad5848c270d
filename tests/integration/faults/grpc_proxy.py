"""A proxy for one of Google's gRPC services: forwards bytes, or lets a call fail as its `trouble` says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from infra.local.ports import HOST
from tests.faults import Fault, Kind, Trouble

_THREADS = 64
_STATUS = {
    Kind.TOO_MANY: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.ERROR: grpc.StatusCode.INTERNAL,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    # Clients report a broken connection like this.
    Kind.RESET: grpc.StatusCode.UNAVAILABLE,
    Kind.SILENCE: grpc.StatusCode.DEADLINE_EXCEEDED,
}


OWNER = (("authorization", "Bearer owner"),)
"""Metadata of a client that the Firestore emulator's rules do not bind."""


def authorization(context: Any) -> list[tuple[str, str]]:
    """The metadata of a call by which the emulator knows who sent it."""
    return [(key, value) for key, value in context.invocation_metadata() if key == "authorization"]


class Upstream:
    """The emulator behind the proxies. It can be replaced by one at another address."""

    def __init__(self, host: str) -> None:
        self.present = threading.Event()
        self.meet(host)
        self.present.set()

    def meet(self, host: str) -> None:
        """Forward calls to this host. Until `present` is set, only calls that prepare the emulator get through."""
        self.host = host
        self.channel = grpc.insecure_channel(host, options=[("grpc.max_reconnect_backoff_ms", 200)])

    def part(self) -> None:
        """Stop forwarding calls, and break those in flight."""
        self.present.clear()
        self.channel.close()


class GrpcProxy(grpc.GenericRpcHandler):  # type: ignore[misc]  # untyped
    """Without `trouble` there are no faults, and calls wait while the emulator is being replaced."""

    unary: frozenset[str]
    """The methods that return one response. All others return a stream."""
    always: frozenset[str] = frozenset()
    """The methods that prepare a new emulator."""

    def __init__(self, upstream: Upstream, trouble: Trouble | None) -> None:
        self.upstream = upstream
        self.trouble = trouble

    def service(self, details: Any) -> Any:
        path = details.method
        name = path.rpartition("/")[2]
        if name in self.unary:
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: self._unary(path, name, request, context)
            )
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: self._stream(path, name, request, context)
        )

    def called(self, name: str, request: bytes) -> str:
        """How this call is reported to tests that watch calls."""
        return name

    def carry_out(self, name: str, request: bytes, call: Callable[[bytes], bytes], fault: Fault | None) -> bytes:
        """Make one unary call."""
        return call(request)

    def _unary(self, path: str, name: str, request: bytes, context: Any) -> bytes:
        # Read first: a call that the client gives up during a fault is still carried out.
        timeout = context.time_remaining()
        fault = self._begin(name, request, context)
        with _passing_on(context):
            call = self.upstream.channel.unary_unary(path)
            sender = authorization(context)
            response = self.carry_out(
                name, request, lambda sent: bytes(call(sent, timeout=timeout, metadata=sender)), fault
            )
        self._end(fault, context)
        return response

    def _stream(self, path: str, name: str, request: bytes, context: Any) -> Iterator[bytes]:
        timeout = context.time_remaining()
        fault = self._begin(name, request, context)
        with _passing_on(context):
            call = self.upstream.channel.unary_stream(path)
            for response in call(request, timeout=timeout, metadata=authorization(context)):
                # A stream fails only after its first response.
                yield response
                self._end(fault, context)
        self._end(fault, context)

    def _begin(self, name: str, request: bytes, context: Any) -> Fault | None:
        if self.trouble is None:
            while not (name in self.always or self.upstream.present.wait(0.1)) and context.is_active():
                pass
            return None
        fault = self.trouble.meet(self.called(name, request))
        if not self.upstream.present.is_set():
            context.abort(grpc.StatusCode.UNAVAILABLE, "The emulator is being replaced.")
        if fault is not None and fault.kind is Kind.SLOW:
            self.trouble.hold_up(fault.kind, context.is_active)
        if fault is not None and not fault.carried_out:
            self._fail(fault, context)
        return fault

    def _end(self, fault: Fault | None, context: Any) -> None:
        if fault is not None:
            self._fail(fault, context)

    def _fail(self, fault: Fault, context: Any) -> None:
        if self.trouble is not None and fault.kind in _STATUS:
            self.trouble.hold_up(fault.kind, context.is_active)
            context.abort(_STATUS[fault.kind], "The test makes this call fail.")


@contextmanager
def _passing_on(context: Any) -> Iterator[None]:
    """End this call in the same way as the upstream call."""
    try:
        yield
    except grpc.RpcError as error:
        # Calls in flight are cancelled when the emulator is replaced.
        cancelled = error.code() is grpc.StatusCode.CANCELLED
        context.abort(grpc.StatusCode.UNAVAILABLE if cancelled else error.code(), error.details())
    except ValueError:  # raised by a closed channel
        context.abort(grpc.StatusCode.UNAVAILABLE, "The emulator has been stopped.")


@contextmanager
def serving(handler: grpc.GenericRpcHandler) -> Iterator[str]:
    """Serve a proxy, or what takes a service's place; yields its host and port."""
    server = grpc.server(ThreadPoolExecutor(_THREADS), handlers=(handler,))
    port = server.add_insecure_port(f"{HOST}:0")
    server.start()
    try:
        yield f"{HOST}:{port}"
    finally:
        server.stop(None).wait()
