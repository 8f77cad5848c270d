"""Reading with raw messages: the requests, the decoded responses, and broken calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.api_core import exceptions as google_errors
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unavailable
from shared.jobs.documents import SHOWN
from shared.jobs.pagination import ListQuery
from shared.jobs.queries import in_order
from shared.jobs.reading import (
    BatchGetDocumentsResponse,
    Document,
    Jobs,
    RunQueryRequest,
    RunQueryResponse,
    Value,
    cursor,
    time_value,
)
from shared.outages import answer_within
from tests.firestore_channel import Channel, Refusal, counted
from tests.jobs import NOW

PASSING = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED
LASTING = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.DEADLINE_EXCEEDED
ROOT = "projects/x/databases/(default)/documents/jobs/"
FIELDS = ("user_id", "created_at")


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("shared.jobs.reading.time.sleep", slept.append)
    return slept


def found(number: int) -> Any:
    """The response with a job that was created this many seconds ago."""
    response = RunQueryResponse()
    response.document.name = f"{ROOT}job-{number}"
    response.document.fields["user_id"].string_value = "ann"
    response.document.fields["created_at"].CopyFrom(created(number))
    response.document.update_time.seconds, response.document.update_time.nanos = 7, 9
    return response


def created(number: int) -> Any:
    return time_value(datetime.fromtimestamp(NOW.timestamp() - number, UTC))


def in_turn(*answers: Iterator[Any]) -> Channel:
    """Give these answers to successive calls, whatever they request."""
    left = iter(answers)
    names = ("RunQuery", "RunAggregationQuery", "BatchGetDocuments")
    return Channel(dict.fromkeys(names, lambda _: next(left)))


def then_fails(status: grpc.StatusCode, *responses: Any) -> Iterator[Any]:
    yield from responses
    raise Refusal(status)


def read(channel: Channel, limit: int = 5) -> Iterator[Document]:
    jobs = Jobs(channel.client)
    return jobs.read(in_order(ListQuery(user_id="ann"), jobs.name), limit, None, FIELDS)


def test_only_the_fields_that_are_needed_are_asked_for_and_no_more_documents_than_the_limit() -> None:
    channel = in_turn(iter([found(1), found(2)]))
    assert [document.id for document in read(channel)] == ["job-1", "job-2"]
    ((_, request),) = channel.begun
    assert [one.field_path for one in request.structured_query.select.fields] == list(FIELDS)
    assert request.structured_query.limit.value == 5
    assert not request.structured_query.HasField("start_at")


@pytest.mark.parametrize("status", PASSING)
def test_a_query_that_breaks_goes_on_after_the_last_document(status: grpc.StatusCode) -> None:
    channel = in_turn(then_fails(status, found(1), found(2)), then_fails(status), iter([found(3), found(4)]))
    assert [document.id for document in read(channel)] == [f"job-{number}" for number in (1, 2, 3, 4)]
    first, *later = [request.structured_query for _, request in channel.begun]
    for query in later:
        assert list(query.start_at.values) == [created(2), Value(reference_value=f"{ROOT}job-2")]
        assert (query.start_at.before, query.limit.value) == (False, 3)
        assert (query.where, query.order_by) == (first.where, first.order_by)


@pytest.mark.parametrize("status", [*PASSING, *LASTING])
def test_a_query_that_breaks_after_all_that_was_asked_for_is_done(status: grpc.StatusCode) -> None:
    channel = in_turn(then_fails(status, found(1), found(2)))
    assert len(list(read(channel, limit=2))) == 2
    assert len(channel.begun) == 1


def test_a_query_that_nobody_reads_to_its_end_is_given_up() -> None:
    channel = in_turn(iter([found(1), found(2), found(3)]))
    documents = read(channel)
    assert next(documents).id == "job-1"
    documents.close()  # type: ignore[attr-defined]  # a generator
    assert channel.cancelled == 1


@pytest.mark.parametrize("status", PASSING)
def test_documents_that_were_not_read_yet_are_asked_for_again_by_their_ids(status: grpc.StatusCode) -> None:
    def response(number: int, *, missing: bool = False) -> Any:
        if missing:
            return BatchGetDocumentsResponse(missing=f"{ROOT}job-{number}")
        return BatchGetDocumentsResponse(found=found(number).document)

    channel = in_turn(
        then_fails(status, response(3), response(2, missing=True)), iter([response(4, missing=True), response(1)])
    )
    jobs = Jobs(channel.client)
    ids = [f"job-{number}" for number in (1, 2, 3, 4)]
    assert [document.id for document in jobs.get(ids, FIELDS)] == ["job-3", "job-1"]
    first, second = [request for _, request in channel.begun]
    assert list(first.documents) == [jobs.name(job_id) for job_id in ids]
    assert list(second.documents) == [jobs.name("job-1"), jobs.name("job-4")]
    assert list(first.mask.field_paths) == list(second.mask.field_paths) == list(FIELDS)


@pytest.mark.parametrize("status", PASSING)
def test_a_count_that_fails_is_made_again_and_known_from_then_on(status: grpc.StatusCode) -> None:
    channel = in_turn(then_fails(status), counted(3))
    jobs = Jobs(channel.client)
    count = jobs.count(in_order(ListQuery(user_id="ann"), jobs.name))
    assert (count.result(), count.result()) == (3, 3)
    assert channel.begun[0] == channel.begun[1]


@pytest.mark.parametrize("status", LASTING)
def test_a_lasting_error_is_raised_at_once_as_the_librarys_error(status: grpc.StatusCode) -> None:
    channel = in_turn(then_fails(status, found(1)))
    with pytest.raises(google_errors.GoogleAPICallError) as raised:
        list(read(channel))
    assert raised.value.grpc_status_code == status
    assert len(channel.begun) == 1


def test_an_error_that_does_not_pass_is_retried_until_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, without_pauses: list[float]
) -> None:
    monkeypatch.setattr("shared.jobs.reading.time.monotonic", lambda: 100 + sum(without_pauses))
    channel = in_turn(*(then_fails(grpc.StatusCode.UNAVAILABLE) for _ in range(1_000)))
    with pytest.raises(google_errors.ServiceUnavailable):
        list(read(channel))
    assert 2 < sum(without_pauses) < 3
    assert max(without_pauses) <= 0.5
    # Each call may take only the time that is left, so its limit is lower than the previous one's.
    assert channel.timeouts == sorted(channel.timeouts, reverse=True)
    assert (channel.timeouts[0], channel.timeouts[-1] > 0) == (3.0, True)


@contextmanager
def connection(answer: Callable[[str, grpc.ServicerContext], Iterator[Any]]) -> Iterator[Jobs]:
    """Jobs on a real connection, with the answer to each call by its name. Bytes are sent as they are."""

    class Firestore(grpc.GenericRpcHandler):  # type: ignore[misc]  # untyped
        def service(self, details: Any) -> Any:
            return grpc.unary_stream_rpc_method_handler(
                lambda _, context: answer(details.method.rpartition("/")[2], context),
                response_serializer=lambda one: one if isinstance(one, bytes) else one.SerializeToString(),
            )

    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((Firestore(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client: Any = firestore.Client(project="x", credentials=AnonymousCredentials())
    client._emulator_host = f"127.0.0.1:{port}"
    jobs = Jobs(client)
    channels = [calls.channel for calls in jobs._channels._free]
    try:
        yield jobs
    finally:
        for channel in channels:
            channel.close()
        server.stop(None)


@pytest.fixture
def connected() -> Iterator[Jobs]:
    """Every count is seven, and every query or look-up finds a hundred jobs."""

    def answer(name: str, _: grpc.ServicerContext) -> Iterator[Any]:
        if name == "RunAggregationQuery":
            return counted(7)
        if name == "RunQuery":
            return map(found, range(100))
        return (BatchGetDocumentsResponse(found=found(number).document) for number in range(100))

    with connection(answer) as jobs:
        yield jobs


def noted(monkeypatch: pytest.MonkeyPatch, jobs: Jobs) -> list[Any]:
    """The calls that will be made."""
    calls: list[Any] = []

    def noting(send: Any) -> Any:
        def note(*sent: Any) -> Any:
            calls.append(send(*sent))
            return calls[-1]

        return note

    for kind in jobs._channels._free:
        for name in ("run", "get", "count"):
            monkeypatch.setattr(kind, name, noting(getattr(kind, name)))
    return calls


def test_a_count_that_nobody_reads_for_longer_than_a_call_may_take_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, connected: Jobs
) -> None:
    """A call with responses that nobody has read runs into its deadline."""
    monkeypatch.setattr("shared.outages.FIRESTORE_TIMEOUT", 0.2)
    count = connected.count(in_order(ListQuery(user_id="ann"), connected.name))
    threading.Event().wait(0.5)
    assert count.result() == 7


def test_of_calls_that_are_given_up_no_event_is_left_unread(
    monkeypatch: pytest.MonkeyPatch, connected: Jobs
) -> None:
    """Otherwise gRPC would keep 20 kB of each for as long as the process lives."""
    calls = noted(monkeypatch, connected)
    query = in_order(ListQuery(user_id="ann"), connected.name)
    next(connected.read(query, 100, None, FIELDS))
    next(connected.get(["job"], FIELDS))
    connected.count(query).cancel()
    assert [call._state.due for call in calls] == [set()] * 3


@pytest.mark.slow  # waits out a time limit
@pytest.mark.parametrize(
    ("then", "seconds", "error"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, 30, google_errors.PermissionDenied),  # it breaks
        (None, 2, google_errors.DeadlineExceeded),  # nothing comes any more
        (b"\xff", 30, None),  # a message that cannot be decoded, and nothing after it
    ],
)
def test_of_a_query_that_breaks_stalls_or_garbles_the_call_ends_at_once_and_nothing_is_left_of_it(
    monkeypatch: pytest.MonkeyPatch, then: Any, seconds: float, error: type[Exception] | None
) -> None:
    monkeypatch.setattr("shared.outages.FIRESTORE_TIMEOUT", seconds)
    over = threading.Event()
    begun: list[str] = []

    def answer(name: str, context: grpc.ServicerContext) -> Iterator[Any]:
        begun.append(name)
        yield found(len(begun))
        if len(begun) > 1:
            return
        context.add_callback(over.set)
        if isinstance(then, grpc.StatusCode):
            context.abort(then, "the test wants it so")
        if then:
            yield then
        over.wait(timeout=60)

    with connection(answer) as jobs:
        calls = noted(monkeypatch, jobs)
        documents = jobs.read(in_order(ListQuery(user_id="ann"), jobs.name), 5, None, FIELDS)
        assert next(documents).id == "job-1"
        with pytest.raises(error) if error else nullcontext():
            assert [document.id for document in documents] == ["job-2"]
        assert over.wait(timeout=5)
        assert [call._state.due for call in calls] == [set()] * (1 if error else 2)


def test_only_our_calls_do_without_grpcs_thread(connected: Jobs) -> None:
    """The library leaves calls half read, which only that thread ends."""
    call = connected._channels.begin().run(RunQueryRequest(), 5)
    assert type(call).__name__ == "_SingleThreadedRendezvous"
    assert len(list(call)) == 100
    client = firestore.Client(project="x", credentials=AnonymousCredentials())
    Jobs(client)
    theirs: Any = client._firestore_api.transport.grpc_channel
    assert not theirs._single_threaded_unary_stream


def test_our_channels_are_made_as_the_library_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, dict[str, Any]]] = []

    def create_channel(*to: Any, **options: Any) -> Any:
        made.append((to, options))
        return grpc.insecure_channel("127.0.0.1:1")

    monkeypatch.setattr(FirestoreGrpcTransport, "create_channel", create_channel)
    client = firestore.Client(project="x", credentials=AnonymousCredentials())
    assert client._firestore_api
    Jobs(client)
    (theirs, *ours) = made
    assert len(ours) == 16
    assert all(options.pop("ssl_credentials") is not None for _, options in ours)
    assert all(one == theirs for one in ours)


def test_a_thread_uses_one_channel_for_all_its_streams_and_the_one_used_last_first(connected: Jobs) -> None:
    def channels() -> set[int]:
        lent = [calls for calls in everyone if calls.streams]
        return {everyone.index(calls) for calls in lent}

    everyone = list(connected._channels._free)
    query = in_order(ListQuery(user_id="ann"), connected.name)
    seen = []
    for _ in range(3):
        count, documents = connected.count(query), connected.read(query, 100, None, FIELDS)
        next(documents)
        seen.append(channels())
        with ThreadPoolExecutor(1) as other:
            beside = other.submit(connected.count, query).result()
        assert len(channels()) == 2
        documents.close()  # type: ignore[attr-defined]  # a generator
        assert seen[-1] <= channels(), "the count has not ended"
        beside.cancel()
        count.cancel()
        count.cancel()
        assert channels() == set()
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == 1


def test_more_threads_than_channels_share_them(connected: Jobs) -> None:
    query = in_order(ListQuery(user_id="ann"), connected.name)
    everyone = list(connected._channels._free)
    all_here = threading.Barrier(40)

    def count() -> int:
        all_here.wait(60)
        counting = connected.count(query)
        all_here.wait(60)
        shared = sorted(calls.streams for calls in everyone)
        all_here.wait(60)
        assert shared == [2] * 8 + [3] * 8
        try:
            return counting.result()
        finally:
            counting.cancel()

    with ThreadPoolExecutor(40) as threads:
        assert [doing.result() for doing in [threads.submit(count) for _ in range(40)]] == [7] * 40
    assert all(calls.streams == 0 for calls in everyone)
    assert sorted(map(id, connected._channels._free)) == sorted(map(id, everyone))


def test_a_request_with_no_time_left_makes_no_call() -> None:
    channel = in_turn()
    answer_within(0)
    try:
        with pytest.raises(Unavailable):
            list(read(channel))
    finally:
        answer_within(float("inf"))
    assert channel.begun == []


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
    lambda inner: st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(SHOWN), values, max_size=6))
def test_a_document_has_the_values_that_the_library_reads(fields: dict[str, Any]) -> None:
    response = found(1)
    response.document.fields.clear()
    for name, value in _helpers.encode_dict(fields).items():
        response.document.fields[name].CopyFrom(type(value).pb(value))
    (document,) = read(in_turn(iter([response])))
    assert document.fields() == fields
    assert {name: document.get(name) for name in fields} == fields
    assert [name for name in SHOWN if document.has(name)] == [name for name in SHOWN if name in fields]
    assert document.get("nothing") is None
    assert document.version == 7_000_000_009


@pytest.mark.parametrize(
    "odd", [Value(bytes_value=b"x"), Value(geo_point_value={}), Value(array_value={}), Value(reference_value="x")]
)
def test_a_value_of_a_kind_that_no_job_has_is_neither_text_nor_absent(odd: Any) -> None:
    response = found(1)
    response.document.fields["status"].CopyFrom(odd)
    (document,) = read(in_turn(iter([response])))
    assert document.get("status") is not None
    assert not isinstance(document.get("status"), str | int | float | dict)


def test_a_cursor_is_made_of_the_values_in_the_order_of_the_query() -> None:
    (document,) = read(in_turn(iter([found(1)])))
    name = Value(reference_value=f"{ROOT}job-1")
    newest = in_order(ListQuery(user_id="ann"), lambda job_id: ROOT + job_id)
    by_id = in_order(ListQuery(user_id="ann", id_prefix="job"), lambda job_id: ROOT + job_id)
    assert cursor(newest, document) == [created(1), name]
    assert cursor(by_id, document) == [name]
