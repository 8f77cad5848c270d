"""Which headers and attributes name a trace, and how a trace follows a deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from functions.delete_job import delete_job
from functions.purge_job import purge_job
from functions.sweep_purges import sweep_purges
from shared.messaging.events import JobDeleted
from shared.publishing.dead_letters import Letter
from shared.publishing.publisher import Publisher
from shared.tracing import ATTRIBUTE, Trace
from tests.calls import call
from tests.fakes import FakeServices
from tests.jobs import NOW, deleted, document
from tests.messages import envelope, message
from tests.publishing import Client

ID, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{ID}-{SPAN}-01"
LOGGED = f"projects/demo-nuumee/traces/{ID}"
Lines = Callable[[], list[dict[str, Any]]]
MALFORMED = [
    *("", "x", "00", f"00-{ID}", f"00-{ID}-{SPAN}", f"{TRACEPARENT}-more", f"{TRACEPARENT}\n", f" {TRACEPARENT}"),
    *(TRACEPARENT.upper(), f"ff-{ID}-{SPAN}-01", f"00-{32 * '0'}-{SPAN}-01", f"00-{ID}-{16 * '0'}-01"),
    *(
        TRACEPARENT.replace("-", "_"),
        f"00-{ID[:-1]}\u0661-{SPAN}-01",
        TRACEPARENT * 1000,
        '"}\n{"severity": "ALERT',
    ),
]


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def services(client: Client) -> FakeServices:
    made = FakeServices()
    made.publisher = Publisher(client, "job-deleted")
    return made


def traces(lines: list[dict[str, Any]]) -> set[str | None]:
    return {line.get("logging.googleapis.com/trace") for line in lines}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TRACEPARENT, TRACEPARENT),
        (f"00-{ID}-{SPAN}-00", f"00-{ID}-{SPAN}-00"),
        (f"00-{ID}-{SPAN}-ff", TRACEPARENT),  # only the last bit has a meaning
        (f"cc-{ID}-{SPAN}-01-what-the-future-brings", TRACEPARENT),
        *((text, None) for text in MALFORMED),
        *((odd, None) for odd in (None, 7, [TRACEPARENT], {"a": 1})),
    ],
)
def test_a_traceparent_names_a_trace_or_is_ignored(text: object, expected: str | None) -> None:
    trace = Trace.of(text)
    assert (str(trace) if trace else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{ID}/255;o=1", f"00-{ID}-00000000000000ff-01"),
        (f"{ID}/255;o=0", f"00-{ID}-00000000000000ff-00"),
        (f"{ID}/255", f"00-{ID}-00000000000000ff-00"),
        *((text, None) for text in ("", f"{ID}/x", f"{32 * '0'}/1", f"{ID}/1;o=1\n", ID.upper())),
    ],
)
def test_the_older_header_serves_where_there_is_no_traceparent(text: str, expected: str | None) -> None:
    trace = Trace.of("malformed", text)
    assert (str(trace) if trace else None) == expected


@pytest.mark.parametrize("text", [ID, f"{ID}/0", f"{ID}/{2**64}"])
def test_a_trace_without_a_span_still_makes_a_valid_traceparent(text: str) -> None:
    trace = Trace.of(None, text)
    assert trace is not None
    assert trace.id == ID
    assert Trace.of(str(trace)) == trace


def test_a_delete_its_event_and_its_purge_are_one_trace(
    services: FakeServices, client: Client, logged: Lines
) -> None:
    services.add("job-1", document("me"))
    call(delete_job, services, "/jobs/job-1", method="DELETE", headers={"traceparent": TRACEPARENT})
    ((_, data, attributes),) = client.published
    assert attributes[ATTRIBUTE] == TRACEPARENT
    purge_job.receive(envelope(data, attributes, messageId="1"), services)
    lines = {line["message"]: line for line in logged()}
    assert list(lines) == ["job_deleted", "request", "purged", "event_done"]
    assert traces(list(lines.values())) == {LOGGED}
    for event in ("job_deleted", "purged", "event_done"):
        assert (lines[event]["job_id"], lines[event]["message_id"]) == ("job-1", "1")


def test_without_a_trace_an_event_is_as_it_was(services: FakeServices, client: Client, logged: Lines) -> None:
    services.add("job-1", document("me"))
    call(delete_job, services, "/jobs/job-1", method="DELETE")
    ((_, data, attributes),) = client.published
    assert (data, attributes) == JobDeleted("job-1", "me", NOW).encode()
    purge_job.receive(envelope(data, attributes), services)
    assert traces(logged()) == {None}


@pytest.mark.parametrize("odd", [*MALFORMED, 7, None, {"a": 1}])
def test_a_malformed_trace_fails_no_purge_and_is_not_logged(
    services: FakeServices, logged: Lines, odd: Any
) -> None:
    services.add("job-1", deleted("me", purge={"state": "pending", "requested_at": NOW}))
    data, attributes = JobDeleted("job-1", "me", NOW).encode()
    purge_job.receive(envelope(data, {**attributes, ATTRIBUTE: odd}), services)
    assert [line["message"] for line in logged()] == ["purged", "event_done"]
    assert traces(logged()) == {None}
    assert max(len(str(line)) for line in logged()) < 300


def test_one_events_trace_is_not_anothers(services: FakeServices, logged: Lines) -> None:
    services.add("job-1", deleted("me", purge={"state": "pending", "requested_at": NOW}))
    data, attributes = JobDeleted("job-1", "me", NOW).encode()
    purge_job.receive(envelope(data, {**attributes, ATTRIBUTE: TRACEPARENT}), services)
    purge_job.receive(message(JobDeleted("job-1", "me", NOW)), services)
    assert traces(logged()[:2]) == {LOGGED}
    assert traces(logged()[2:]) == {None}


def test_a_replayed_deletion_stays_in_its_trace(services: FakeServices, client: Client, logged: Lines) -> None:
    for job_id in ("job-1", "job-2"):
        later = {"state": "pending", "requested_at": NOW, "sweep_at": NOW.replace(year=NOW.year + 1)}
        services.add(job_id, deleted("me", purge=later))
    first, second = (JobDeleted(job_id, "me", NOW).encode() for job_id in ("job-1", "job-2"))
    services.fake_dead_deletions.waiting = [
        Letter("1", first[0], {**first[1], ATTRIBUTE: TRACEPARENT}, "receipt 1"),
        Letter("2", *second, "receipt 2"),
    ]
    sweep_purges.receive(envelope(b"", {}), services)
    assert [attributes.get(ATTRIBUTE) for _, _, attributes in client.published] == [TRACEPARENT, None]
    told = [(line.get("message_id"), traces([line])) for line in logged() if line["message"] == "dead_letter"]
    assert told == [("1", {LOGGED}), ("2", {None})]
