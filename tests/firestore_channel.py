"""In place of the connection to Firestore: answers raw messages as a test wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from shared.jobs.reading import RunAggregationQueryResponse

Answer = Callable[[Any], Iterable[Any]]
"""Gives the responses to a request, one after the other as they are read. May raise a Refusal."""


class Refusal(grpc.RpcError):  # type: ignore[misc]  # untyped
    """How a call fails."""

    def __init__(self, status: grpc.StatusCode) -> None:
        self._status = status

    def code(self) -> grpc.StatusCode:
        return self._status

    def details(self) -> str:
        return "the test wants it so"

    def trailing_metadata(self) -> None:
        return None


class Channel:
    """Answers each call by its name, such as `RunQuery`, and notes what was asked when."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self.begun: list[tuple[str, Any]] = []
        """Name and request of each call, as it was then."""
        self.timeouts: list[float] = []
        self.cancelled = 0

    def unary_stream(self, method: str, request_serializer: Any, response_deserializer: Any) -> Any:
        name = method.rpartition("/")[2]

        def send(request: Any, timeout: float, metadata: Any) -> Call:
            as_sent = type(request).FromString(request_serializer(request))
            self.begun.append((name, as_sent))
            self.timeouts.append(timeout)
            return Call(self, self._answers[name](as_sent))

        return send

    @property
    def client(self) -> firestore.Client:
        """A client of the library that uses this connection."""
        client: Any = firestore.Client(project="x", credentials=AnonymousCredentials())
        client._emulator_host, client._emulator_channel = "", lambda _: self
        made: firestore.Client = client
        return made


class Call:
    """One call. Like the library's, it raises when it is read, and its last event is how it ended."""

    def __init__(self, channel: Channel, responses: Iterable[Any]) -> None:
        self._channel = channel
        self._responses = iter(responses)
        self._state = SimpleNamespace(due={"end"})
        self._call = SimpleNamespace(cancel=self._cancel)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._responses
        except grpc.RpcError:
            self._consume_next_event()
            raise
        self._consume_next_event()

    def _cancel(self, status: int, details: str) -> None:
        self._channel.cancelled += 1

    def _consume_next_event(self) -> None:
        self._state.due.clear()


def counted(number: int) -> Iterator[Any]:
    """The responses to a count."""
    response = RunAggregationQueryResponse()
    response.result.aggregate_fields["jobs"].integer_value = number
    yield response
