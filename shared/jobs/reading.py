"""Reads jobs from Firestore with raw protobuf messages.

The library's queries and snapshots copy each message several times: a page of 20 jobs takes four times the CPU.
`make bench` compares both. Calls begin when they are made, so several are under way at once without a thread each.
https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

import grpc
from google.api_core import gapic_v1
from google.api_core.exceptions import from_grpc_error
from google.api_core.retry import exponential_sleep_generator
from google.cloud import firestore
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.base_client import _DEFAULT_CHANNEL_OPTIONS
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

from shared.jobs.job import EPOCH, MICROSECOND
from shared.outages import (
    ANSWER_WITHIN,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    firestore_seconds,
    is_passing,
    seconds_for,
)

BatchGetDocumentsRequest: Any = types.BatchGetDocumentsRequest.pb()
BatchGetDocumentsResponse: Any = types.BatchGetDocumentsResponse.pb()
RunAggregationQueryRequest: Any = types.RunAggregationQueryRequest.pb()
RunAggregationQueryResponse: Any = types.RunAggregationQueryResponse.pb()
RunQueryRequest: Any = types.RunQueryRequest.pb()
RunQueryResponse: Any = types.RunQueryResponse.pb()
StructuredQuery: Any = types.StructuredQuery.pb()
Value: Any = types.Value.pb()

_CHANNELS = 16
"""As many as the requests that most functions serve at a time. In the cloud, each that is used is a connection of
5 ms of CPU and 0.2 MiB. With the emulator they share one, so `make bench` does not show that."""
_COUNT = "jobs"
_CANCELLED = grpc.StatusCode.CANCELLED.value[0]


class Document:
    """What was read of one document. Values are decoded when asked for: many documents are passed over."""

    __slots__ = ("id", "message")

    def __init__(self, message: Any) -> None:
        self.message = message
        self.id: str = message.name.rpartition("/")[2]

    def get(self, field: str) -> Any:
        """The field's value; None if there is none."""
        values = self.message.fields
        return _value(values[field]) if field in values else None

    def has(self, field: str) -> bool:
        return field in self.message.fields

    def fields(self) -> dict[str, Any]:
        """The values of all fields. A value of a kind that no job has, such as a location, is its message."""
        return _decoded(self.message.fields)

    @property
    def made_at(self) -> datetime:
        """When the document was created, whatever its fields say."""
        return _time(self.message.create_time)

    @property
    def version(self) -> int:
        """Time of the last change, in nanoseconds since 1970."""
        return _nanoseconds(self.message.update_time)


Cursor = Sequence[Any]
"""Values of the fields that a query is ordered by, as messages."""


class _Calls:
    """The calls, on a channel of their own, which connects when it is first used.

    The thread that reads a call takes its messages from gRPC itself. To be handed each by gRPC's own thread takes
    a fifth of a page's CPU. The library's calls need that thread, which ends those that it leaves half read.
    """

    def __init__(self, client: firestore.Client, trusted: grpc.ChannelCredentials) -> None:
        transport = FirestoreGrpcTransport
        if client._emulator_host is not None:
            channel: Any = client._emulator_channel(transport)  # type: ignore[no-untyped-call]
        else:
            channel = transport.create_channel(
                client._target,
                credentials=client._credentials,
                ssl_credentials=trusted,
                options=_DEFAULT_CHANNEL_OPTIONS,
            )
        channel._single_threaded_unary_stream = True  # as gRPC's option SingleThreadedUnaryStream
        self.channel = channel  # calls without gRPC's thread do not keep it open
        self.streams = 0
        """How many have begun and not ended."""

        def calls(name: str, request: Any, response: Any, key: str, value: str) -> Callable[..., Any]:
            send = channel.unary_stream(
                f"/google.firestore.v1.Firestore/{name}",
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
            )
            metadata = (*client._rpc_metadata, gapic_v1.routing_header.to_grpc_metadata([(key, value)]))  # type: ignore[no-untyped-call]
            return lambda message, seconds: send(message, timeout=seconds, metadata=metadata)

        database = client._database_string
        parent = f"{database}/documents"
        self.run = calls("RunQuery", RunQueryRequest, RunQueryResponse, "parent", parent)
        self.count = calls(
            "RunAggregationQuery", RunAggregationQueryRequest, RunAggregationQueryResponse, "parent", parent
        )
        self.get = calls(
            "BatchGetDocuments", BatchGetDocumentsRequest, BatchGetDocumentsResponse, "database", database
        )


class _Channels:
    """Lends channels, to each thread one for all its streams, so that few connections are open and in use.

    Threads that share a channel wait for each other at every message, because gRPC keeps the channel's lock while
    it lets go of the interpreter. With 16 clients, that takes up to a quarter of a page's CPU.

    What was used last is lent first. A connection that has rested for long may be broken, or must be opened again.
    """

    def __init__(self, client: firestore.Client) -> None:
        trusted = grpc.ssl_channel_credentials()  # without it, each channel reads all certificates: 0.3 MiB
        self._free = [_Calls(client, trusted) for _ in range(_CHANNELS)]
        self._in_turn = cycle(tuple(self._free))
        self._mine = threading.local()
        self._lock = threading.Lock()

    def begin(self) -> _Calls:
        """For one more stream of this thread. If all are lent, it shares one."""
        calls: _Calls | None = getattr(self._mine, "calls", None)
        with self._lock:
            if calls is None or not calls.streams:
                calls = self._free.pop() if self._free else next(self._in_turn)
            calls.streams += 1
        self._mine.calls = calls
        return calls

    def end(self, calls: _Calls) -> None:
        with self._lock:
            calls.streams -= 1
            if not calls.streams:
                self._free.append(calls)
                self._mine.calls = None


class Jobs:
    """The collection of jobs. Methods raise the library's error if a call fails for longer than it may."""

    def __init__(self, client: firestore.Client) -> None:
        self._database = client._database_string
        self._parent = f"{self._database}/documents"
        self._channels = _Channels(client)

    def name(self, job_id: str) -> str:
        """The full name of a job's document."""
        return f"{self._parent}/jobs/{job_id}"

    def get(self, job_ids: Iterable[str], fields: Sequence[str]) -> Iterator[Document]:
        """Those that exist, in any order. Costs one read per id. The call is under way when this returns."""
        missing = {self.name(job_id) for job_id in job_ids}
        request = BatchGetDocumentsRequest(database=self._database, documents=sorted(missing))
        request.mask.field_paths.extend(fields)

        def rest() -> Any:
            del request.documents[:]
            request.documents.extend(sorted(missing))
            return request if missing else None

        stream = _Stream(self._channels, "get", request, rest, firestore_seconds())

        def found() -> Iterator[Document]:
            try:
                for response in stream:
                    missing.discard(response.missing or response.found.name)
                    if response.HasField("found"):
                        yield Document(response.found)
            finally:
                stream.cancel()

        return found()

    def read(self, query: Any, limit: int, after: Cursor | None, fields: Sequence[str]) -> Iterator[Document]:
        """The first `limit` documents of `query` that come after the cursor. Costs one read for each."""
        request = RunQueryRequest(parent=self._parent, structured_query=query)
        asked = request.structured_query
        asked.limit.value = limit
        for field in fields:
            asked.select.fields.add(field_path=field)
        _start_after(asked, after)
        last: Document | None = None

        def rest() -> Any:
            if last is not None:
                _start_after(asked, cursor(query, last))
            return request if asked.limit.value else None

        stream = _Stream(self._channels, "run", request, rest, firestore_seconds())
        try:
            for response in stream:
                if response.HasField("document"):
                    last = Document(response.document)
                    asked.limit.value -= 1
                    yield last
        finally:
            stream.cancel()

    def count(self, query: Any) -> Count:
        """Begin to count the documents of `query`. Costs one read for each 1,000, and at least one."""
        request = RunAggregationQueryRequest(parent=self._parent)
        request.structured_aggregation_query.structured_query.CopyFrom(query)
        request.structured_aggregation_query.aggregations.add(alias=_COUNT).count.SetInParent()
        # A call whose responses nobody reads does not end before its deadline, and the page is read first. So a
        # count has all of the request's time.
        return Count(_Stream(self._channels, "count", request, lambda: request, seconds_for(ANSWER_WITHIN)))


class Count:
    """A count that is under way."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._value: int | None = None
        self.as_of = 0
        """The time that the result is true of, in nanoseconds since 1970."""

    def result(self) -> int:
        if self._value is None:
            for response in self._stream:
                if response.HasField("result"):
                    self._value = int(response.result.aggregate_fields[_COUNT].integer_value)
                    self.as_of = _nanoseconds(response.read_time)
        assert self._value is not None  # noqa: S101 - an aggregation always has one result
        return self._value

    def cancel(self) -> None:
        """Give up, unless the result is there already."""
        self._stream.cancel()


class _Stream:
    """The responses to a call that begins at once. If it breaks, it goes on with the request that `rest` makes.

    `rest` gives None if there is nothing left to ask for.
    """

    def __init__(
        self, channels: _Channels, name: str, request: Any, rest: Callable[[], Any], seconds: float
    ) -> None:
        """`name` is that of one of the _Calls."""
        self._until = time.monotonic() + seconds
        self._rest = rest
        self._channels = channels
        self._calls: _Calls | None = channels.begin()
        self._send: Callable[[Any, float], Any] = getattr(self._calls, name)
        self._call = self._send(request, seconds)

    def __iter__(self) -> Iterator[Any]:
        for pause in exponential_sleep_generator(FIRST_PAUSE, LONGEST_PAUSE):
            try:
                yield from self._call
                return
            except grpc.RpcError as error:
                self._drop()
                failure = from_grpc_error(error)  # type: ignore[no-untyped-call]
                request = self._rest()
                if request is None:
                    return
                if not is_passing(failure) or time.monotonic() + pause >= self._until:
                    raise failure from error
            time.sleep(pause)
            self._call = self._send(request, self._until - time.monotonic())

    def cancel(self) -> None:
        """End it, and give up what is not read yet."""
        self._drop()
        if self._calls is not None:
            self._channels.end(self._calls)
            self._calls = None

    def _drop(self) -> None:
        """Give up what is not read yet. gRPC keeps 20 kB of a call until all its events are read, so read them.

        gRPC's own `cancel` lets a call run on once it has failed to decode a message of it, so it is not used.
        """
        if self._call._state.due:
            self._call._call.cancel(_CANCELLED, "Nobody reads the rest.")
        while self._call._state.due:
            self._call._consume_next_event()


def cursor(query: Any, document: Document) -> Cursor:
    """The place of a document in the order of a query that read the fields that it is ordered by."""
    name = Value(reference_value=document.message.name)
    paths = (order.field.field_path for order in query.order_by)
    return [name if path == "__name__" else document.message.fields[path] for path in paths]


def time_value(time: datetime) -> Any:
    """A time as a message."""
    value = Value()
    seconds, microseconds = divmod((time - EPOCH) // MICROSECOND, 1_000_000)
    value.timestamp_value.seconds, value.timestamp_value.nanos = seconds, 1_000 * microseconds
    return value


def _start_after(query: Any, after: Cursor | None) -> None:
    if after is not None:
        del query.start_at.values[:]
        query.start_at.values.extend(after)
        query.start_at.before = False


def _nanoseconds(time: Any) -> int:
    nanoseconds: int = time.seconds * 1_000_000_000 + time.nanos
    return nanoseconds


def _time(time: Any) -> datetime:
    return EPOCH + timedelta(seconds=time.seconds, microseconds=time.nanos // 1_000)


def _decoded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value_type")
    if kind in ("string_value", "integer_value", "double_value", "boolean_value"):
        return getattr(value, kind)
    if kind == "timestamp_value":
        return _time(value.timestamp_value)
    if kind == "null_value":
        return None
    if kind == "map_value":
        return _decoded(value.map_value.fields)
    return value
