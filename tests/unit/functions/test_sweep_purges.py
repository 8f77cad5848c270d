"""What a sweep repeats, with fakes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument
from werkzeug.exceptions import ServiceUnavailable

from functions import sweep_purges as module
from functions.sweep_purges import sweep_purges
from shared.deletion.purge import Deletion
from shared.errors import Unavailable
from shared.messaging.events import JobDeleted, ObjectFinalized
from shared.messaging.subscriber import Subscriber, subscriber
from shared.publishing.dead_letters import Letter
from tests.fakes import FakeServices
from tests.jobs import NOW, deleted, document, entry
from tests.messages import envelope, notification

TICK = envelope(b"", {})


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


def pend(services: FakeServices, job_id: str, minutes_due: int, **changes: object) -> None:
    """Add a deleted job whose purge has been due for so long. A purge that is done is not due."""
    services.add(job_id, deleted("me"))
    due = None if changes.get("state") == "done" else NOW - timedelta(minutes=minutes_due)
    services.fake_ledger.entries[job_id] = entry("me", **{"sweep_at": due, **changes})


def sweep(services: FakeServices) -> list[str]:
    """Sweep once more. Returns the ids of the jobs whose purge it requests."""
    before = len(services.fake_publisher.published)
    sweep_purges.receive(TICK, services)
    return [event.job_id for event in services.fake_publisher.published[before:]]


def letter(data: bytes, attributes: dict[str, str], message_id: str = "1") -> Letter:
    return Letter(message_id, data, attributes, f"receipt {message_id}")


def test_what_has_been_due_for_longest_is_asked_for_first(services: FakeServices) -> None:
    pend(services, "younger", 1)
    pend(services, "oldest", 9)
    pend(services, "not-due", -1)
    pend(services, "done", 9, state="done")
    services.add("live", document("me"))
    assert sweep(services) == ["oldest", "younger"]
    assert services.fake_publisher.published[0] == JobDeleted("oldest", "me", NOW)


def test_a_sweep_asks_for_no_more_than_a_batch(services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    for number in range(5):
        pend(services, f"job-{number}", 9 - number)
    assert sweep(services) == ["job-0", "job-1", "job-2"]
    assert sweep(services) == ["job-3", "job-4"]


def test_looks_at_marks_hold_up_no_overdue_purge_and_no_restore(services: FakeServices) -> None:
    for number in range(100):
        services.add(f"job-{number}", deleted("me"))
        watched = {"sweep_at": NOW - timedelta(hours=1), "watched_until": NOW + timedelta(hours=1)}
        services.fake_ledger.entries[f"job-{number}"] = entry("me", state="done", **watched)
    pend(services, "overdue", 1)
    pend(services, "coming-back", 1, state="restoring")
    assert sweep(services) == ["overdue"]
    assert [event.job_id for event in services.fake_restore_publisher.published] == ["coming-back"]
    looks = [one for one in services.fake_ledger.entries.values() if one["state"] == "done" and one["sweeps"]]
    assert len(looks) == 100


def watch(services: FakeServices, number: int) -> None:
    """Add deleted jobs whose marks have been due to be looked at for an hour."""
    for one in range(number):
        services.add(f"watched-{one}", deleted("me"))
        watched = {"sweep_at": NOW - timedelta(hours=1), "watched_until": NOW + timedelta(hours=1)}
        services.fake_ledger.entries[f"watched-{one}"] = entry("me", state="done", **watched)


def looked_at(services: FakeServices) -> int:
    entries = services.fake_ledger.entries
    return sum(one["sweeps"] > 0 for job_id, one in entries.items() if job_id.startswith("watched"))


def test_owed_purges_hold_up_no_look_at_a_mark(services: FakeServices) -> None:
    watch(services, 200)
    for number in range(150):
        pend(services, f"owed-{number}", 90)
    assert len(sweep(services)) == 100
    assert looked_at(services) == 200


def test_looks_at_marks_that_take_long_are_left_to_the_next_sweep(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(services, 3)
    pend(services, "owed", 1)
    monkeypatch.setattr(module, "LOOKS_BEGIN_WITHIN", 0)
    assert sweep(services) == ["owed"]
    assert looked_at(services) == 0
    monkeypatch.undo()
    sweep(services)
    assert looked_at(services) == 3


def test_looks_at_marks_are_several_at_a_time_and_their_log_lines_have_the_sweeps_message(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watch(services, 4)
    together = threading.Barrier(4, timeout=10)

    def fail(*_: object) -> None:
        together.wait()
        raise Unavailable("Firestore")

    monkeypatch.setattr(services.deletions, "record_sweep", fail)
    with caplog.at_level("ERROR", "nuumee"), pytest.raises(ServiceUnavailable):
        sweep(services)
    told = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "sweep_part_failed"]
    assert [one["message_id"] for one in told] == ["7"] * 4


def test_a_sweep_that_is_killed_while_it_looks_at_marks_has_asked_for_what_is_owed(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    pend(services, "overdue", 1)
    pend(services, "coming-back", 1, state="restoring")
    pend(services, "watched", 1)
    watched = {"state": "done", "watched_until": NOW + timedelta(hours=1)}
    services.fake_ledger.entries["watched"] |= watched
    record = services.deletions.record_sweep

    def killed(deletion: Deletion, now: datetime) -> None:
        if deletion.job_id == "watched":
            raise KeyboardInterrupt
        record(deletion, now)

    monkeypatch.setattr(services.deletions, "record_sweep", killed)
    with pytest.raises(KeyboardInterrupt):
        sweep(services)
    assert [event.job_id for event in services.fake_publisher.published] == ["overdue"]
    assert [event.job_id for event in services.fake_restore_publisher.published] == ["coming-back"]


def test_the_same_job_is_asked_for_less_and_less_often(services: FakeServices) -> None:
    pend(services, "job-1", 0)
    asked = []
    for minute in range(24 * 60):
        services.now = lambda minute=minute: NOW + timedelta(minutes=minute)  # type: ignore[misc]
        if sweep(services):
            asked.append(minute)
    assert asked == [0, 10, 30, 70, 150, 310, 630, 990, 1350]


def test_from_the_eighth_sweep_on_an_error_is_logged(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    pend(services, "job-1", 1, sweeps=6)
    pend(services, "job-2", 1, sweeps=7)
    with caplog.at_level("WARNING", "nuumee"):
        sweep(services)
    said = [
        (record.levelname, record.getMessage(), record.__dict__["fields"]["job_id"]) for record in caplog.records
    ]
    assert said == [("WARNING", "purge_asked_again", "job-1"), ("ERROR", "purge_overdue", "job-2")]


def test_a_sweep_tells_which_purge_has_been_pending_for_longest(
    services: FakeServices, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    sweep(services)
    assert [line for line in logged() if line["message"] == "purges_pending"] == []
    for job_id, hours in (("younger", 1), ("oldest", 3), ("done", 5)):
        state = "done" if job_id == "done" else "pending"
        times = {"requested_at": NOW - timedelta(hours=hours), "sweep_at": NOW + timedelta(hours=1)}
        services.fake_ledger.entries[job_id] = entry("me", state=state, **times)
    sweep(services)
    (told,) = [line for line in logged() if line["message"] == "purges_pending"]
    assert told["severity"] == "INFO"
    assert (told["oldest_seconds"], told["job_id"]) == (3 * 3600, "oldest")


@pytest.mark.parametrize(
    "before",
    [
        {"left": ["images/me/uploads/1.png"], "buckets": {"nuumee-images": {"proved_empty_at": NOW}}},
        {"user_id": None},
    ],
)
def test_neither_objects_left_elsewhere_nor_a_damaged_entry_hide_the_oldest_purge(
    services: FakeServices, before: dict[str, Any], logged: Callable[[], list[dict[str, Any]]]
) -> None:
    times = {"requested_at": NOW - timedelta(days=9), "sweep_at": NOW + timedelta(hours=1)}
    services.fake_ledger.entries["before"] = {**entry("me", **times), **before}
    sweep(services)
    assert not [line for line in logged() if line["message"] == "purges_pending"]
    for job_id, hours in (("younger", 2), ("hanging", 3)):
        times["requested_at"] = NOW - timedelta(hours=hours)
        services.fake_ledger.entries[job_id] = entry("me", **times)
    sweep(services)
    (told,) = [line for line in logged() if line["message"] == "purges_pending"]
    assert (told["oldest_seconds"], told["job_id"]) == (3 * 3600, "hanging")


@pytest.mark.parametrize("bucket", [{"error": "403"}, {"proved_empty_at": None}])
def test_a_purge_that_left_objects_elsewhere_and_hangs_is_told(
    services: FakeServices, bucket: dict[str, Any], logged: Callable[[], list[dict[str, Any]]]
) -> None:
    times = {"requested_at": NOW - timedelta(hours=3), "sweep_at": NOW + timedelta(hours=1)}
    left = {"left": ["images/me/uploads/1.png"], "buckets": {"nuumee-images": bucket}}
    services.fake_ledger.entries["hanging"] = entry("me", **times, **left)
    sweep(services)
    assert [line["job_id"] for line in logged() if line["message"] == "purges_pending"] == ["hanging"]


def test_a_sweep_tells_of_a_stalled_job_once_as_an_error(
    services: FakeServices, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    since = NOW - timedelta(days=1)
    services.add("job-1", document("me", status="queued", updated_at=since))
    for _ in range(2):
        sweep(services)
    (told,) = [line for line in logged() if line["message"] == "job_stalled"]
    assert (told["severity"], told["job_id"], told["status"]) == ("ERROR", "job-1", "queued")
    assert told["updated_at"] == str(since)


def test_a_job_that_stalls_stops_no_other_part_of_a_sweep(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("Firestore")

    pend(services, "job-1", 1)
    services.fake_dead_deletions.waiting = [letter(*JobDeleted("gone", "me", NOW).encode())]
    monkeypatch.setattr(services.stalled, "_after", fail)
    with pytest.raises(ServiceUnavailable):
        sweep(services)
    assert [event.job_id for event in services.fake_publisher.published] == ["job-1"]
    assert services.fake_dead_deletions.waiting == []


def test_a_pending_purge_that_older_code_left_is_taken_over_and_asked_for(services: FakeServices) -> None:
    for minutes, job_id in enumerate(("job-1", "job-2")):
        old = {"state": "pending", "requested_at": NOW - timedelta(minutes=minutes), "attempts": 0}
        services.add(job_id, deleted("me", purge=old))
    assert sweep(services) == ["job-1", "job-2"]
    assert sweep(services) == []
    assert [services.fake_ledger.entries[job_id]["sweeps"] for job_id in ("job-1", "job-2")] == [1, 1]
    assert "purge" not in services.fake_repository.documents["job-1"]


def test_what_pubsub_did_not_accept_is_asked_for_a_minute_later(services: FakeServices) -> None:
    pend(services, "job-1", 2)
    pend(services, "job-2", 1)
    services.fake_publisher.refused = {"job-1"}
    with pytest.raises(ServiceUnavailable):
        sweep(services)
    services.fake_publisher.refused = set()
    assert sweep(services) == ["job-1"]


def test_a_dead_letter_of_a_purge_that_was_never_swept_is_replayed_at_once(services: FakeServices) -> None:
    pend(services, "job-1", -4)
    services.fake_dead_deletions.waiting = [letter(*JobDeleted("job-1", "me", NOW).encode())]
    assert sweep(services) == ["job-1"]
    assert services.fake_dead_deletions.waiting == []
    assert services.fake_ledger.entries["job-1"]["sweeps"] == 1


def test_a_dead_letter_of_a_purge_that_was_swept_is_left_to_its_time(services: FakeServices) -> None:
    pend(services, "job-1", -4, sweeps=2)
    services.fake_dead_deletions.waiting = [letter(*JobDeleted("job-1", "me", NOW).encode())]
    assert sweep(services) == []
    assert services.fake_dead_deletions.waiting == []


def test_a_dead_letter_of_a_purge_that_is_done_is_let_go(services: FakeServices) -> None:
    pend(services, "job-1", 1, state="done")
    services.fake_dead_deletions.waiting = [letter(*JobDeleted("job-1", "me", NOW).encode())]
    assert sweep(services) == []
    assert services.fake_dead_deletions.waiting == []
    assert services.fake_ledger.dead_letters == {}


@pytest.mark.parametrize("case", ["garbage", "live", "unknown", "another user's"])
def test_a_dead_letter_that_cannot_be_replayed_is_kept_and_called_out(
    services: FakeServices, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    if case == "live":
        services.add("job-1", document("me"))
    else:
        pend(services, "job-1", -4)
    job_id = "job-2" if case == "unknown" else "job-1"
    data, attributes = JobDeleted(job_id, "you" if case == "another user's" else "me", NOW).encode()
    data = b"\xff" if case == "garbage" else data
    services.fake_dead_deletions.waiting = [letter(data, attributes)]
    with caplog.at_level("ERROR", "nuumee"):
        assert sweep(services) == []
    assert services.fake_dead_deletions.waiting == []
    kept = services.fake_ledger.dead_letters["1"]
    assert (kept["data"], json.loads(kept["attributes"]), kept["recorded_at"]) == (data, attributes, NOW)
    assert kept["expire_at"] == NOW + timedelta(days=90)
    assert kept["reason"]
    assert [record.getMessage() for record in caplog.records] == ["dead_letter_never"]


def test_a_huge_dead_letter_is_kept_as_far_as_a_document_can(services: FakeServices) -> None:
    services.fake_dead_deletions.waiting = [letter(b"x" * 5_000_000, {})]
    sweep(services)
    kept = services.fake_ledger.dead_letters["1"]
    assert (len(kept["data"]), kept["bytes"]) == (100_000, 5_000_000)


def test_what_could_not_be_replayed_yet_goes_on_waiting(services: FakeServices) -> None:
    pend(services, "job-1", -4)
    services.fake_dead_deletions.waiting = [letter(*JobDeleted("job-1", "me", NOW).encode())]
    services.fake_publisher.error = TimeoutError("Pub/Sub is away")
    with pytest.raises(ServiceUnavailable):
        sweep(services)
    assert len(services.fake_dead_deletions.waiting) == 1


def test_a_dead_upload_of_a_deleted_job_has_the_job_purged_again(services: FakeServices) -> None:
    pend(services, "job-1", 5, state="done")
    services.fake_dead_uploads.waiting = [letter(*notification("me/job-1/output.mp4"))]
    assert sweep(services) == []
    assert services.fake_dead_uploads.waiting == []
    assert sweep(services) == ["job-1"]


def test_a_dead_upload_of_a_job_whose_purge_is_pending_changes_no_schedule(services: FakeServices) -> None:
    pend(services, "job-1", -60, sweeps=4)
    before = dict(services.fake_ledger.entries["job-1"])
    data, attributes = notification("me/job-1/output.mp4", changes={"replays": "8"})
    services.fake_dead_uploads.waiting = [letter(data, attributes)]
    assert sweep(services) == []
    assert services.fake_upload_publisher.forwarded == [(data, attributes)]
    assert services.fake_ledger.entries["job-1"] == before


@pytest.mark.parametrize("changes", [{"state": "done"}, {"buckets": {"nuumee-outputs": {"proved_empty_at": NOW}}}])
def test_a_dead_upload_that_comes_again_and_again_although_its_file_is_gone_ends(
    services: FakeServices, changes: dict[str, Any]
) -> None:
    published = [notification("me/job-1/output.mp4")]
    for cycle in range(9):
        pend(services, "job-1", -4, **changes)
        services.fake_dead_uploads.waiting = [letter(*one, str(cycle)) for one in published]
        services.fake_upload_publisher.forwarded = published = []
        assert sweep(services) == []
        assert services.fake_dead_uploads.waiting == []
        assert sweep(services) == ["job-1"]
    assert published == []
    assert set(services.fake_ledger.dead_letters) == {"8"}


def test_a_dead_upload_of_another_job_is_published_again_and_counted(services: FakeServices) -> None:
    services.add("job-1", document("me"))
    pend(services, "job-2", 5, state="done")
    services.fake_dead_uploads.waiting = [
        letter(*notification("me/job-1/output.mp4"), "1"),
        letter(*notification("you/job-2/output.mp4", changes={"replays": "7"}), "2"),
        letter(*notification("me/job-3/output.mp4", changes={"replays": "8"}), "3"),
        letter(*notification("me/job-3/output.mp4", changes={"replays": "many"}), "4"),
        letter(*notification("me/job-3/output.mp4", changes={"eventType": "OBJECT_DELETE"}), "5"),
    ]
    sweep(services)
    replays = [attributes["replays"] for _, attributes in services.fake_upload_publisher.forwarded]
    assert replays == ["1", "8"]
    assert set(services.fake_ledger.dead_letters) == {"3", "4", "5"}
    assert services.fake_dead_uploads.waiting == []
    assert services.fake_ledger.entries["job-2"]["state"] == "done"


@pytest.mark.parametrize("state", [None, "restoring", "pending"])
def test_dead_uploads_of_two_functions_do_not_multiply_however_often_they_are_replayed(
    services: FakeServices, state: str | None
) -> None:
    if state:
        pend(services, "job-1", -4, state=state)
    handled: list[str] = []

    def that_fails(name: str) -> Subscriber[ObjectFinalized]:
        def handle(*_: object) -> None:
            handled.append(name)
            raise Unavailable("Cloud Storage")

        handle.__name__ = name
        return subscriber(ObjectFinalized)(handle)

    consumers = {name: that_fails(name) for name in ("process_upload", "make_posters")}
    published = [notification("me/job-1/output.mp4")]
    for cycle in range(1, 10):
        letters = []
        for data, attributes in published:
            for name, consumer in consumers.items():
                try:
                    consumer.receive(envelope(data, attributes), services)
                except ServiceUnavailable:
                    source = {"CloudPubSubDeadLetterSourceSubscription": consumer.subscription}
                    letters.append(letter(data, attributes | source, f"{cycle} {name}"))
        assert sorted(handled) == cycle * ["make_posters"] + cycle * ["process_upload"]
        services.fake_dead_uploads.waiting = letters
        services.fake_upload_publisher.forwarded = []
        sweep(services)
        published = services.fake_upload_publisher.forwarded
    assert len(published) == (2 if state else 0)
    assert len(services.fake_ledger.dead_letters) == (0 if state else 2)


def test_a_part_that_fails_does_not_stop_the_others(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for job_id in ("poisoned", "second", "third"):
        pend(services, job_id, 5)
    pend(services, "late", -5, state="done")
    deletions = services.deletions
    record = deletions.record_sweep

    def fail(deletion: Any, now: Any) -> None:
        if deletion.job_id == "poisoned":
            raise ValueError("Value out of range")
        record(deletion, now)

    monkeypatch.setattr(deletions, "record_sweep", fail)
    services.fake_dead_deletions.waiting = [
        letter(*JobDeleted("poisoned", "me", NOW).encode(), "1"),
        letter(b"garbage", {}, "2"),
    ]
    services.fake_dead_uploads.waiting = [letter(*notification("me/late/output.mp4"), "3")]
    with caplog.at_level("ERROR", "nuumee"), pytest.raises(ServiceUnavailable):
        sweep(services)
    assert {one.job_id for one in services.fake_publisher.published} == {"poisoned", "second", "third"}
    assert services.fake_ledger.entries["third"]["sweeps"] == 1
    assert [one.message_id for one in services.fake_dead_deletions.waiting] == ["1"]
    assert services.fake_dead_uploads.waiting == []
    assert "sweep_incomplete" in [line.getMessage() for line in caplog.records]


def test_purges_of_the_old_form_that_cannot_be_read_keep_no_other_from_being_found(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pend(services, "due", 5)

    def fail(*_: object) -> None:
        raise InvalidArgument("a document is full")

    monkeypatch.setattr(services.fake_ledger, "old_form_pending", fail)
    with caplog.at_level("ERROR", "nuumee"), pytest.raises(ServiceUnavailable):
        sweep(services)
    assert [one.job_id for one in services.fake_publisher.published] == ["due"]
    assert "sweep_incomplete" in [line.getMessage() for line in caplog.records]


def test_one_purge_of_the_old_form_that_cannot_be_taken_over_keeps_no_other_from_it(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    for job_id in ("poisoned", "sound"):
        services.add(job_id, deleted("me", purge={"state": "pending", "requested_at": NOW}))
    take_over = services.deletions.take_over

    def fail(job_id: str, now: Any) -> Any:
        if job_id == "poisoned":
            raise ValueError("Value out of range")
        return take_over(job_id, now)

    monkeypatch.setattr(services.deletions, "take_over", fail)
    with pytest.raises(ServiceUnavailable):
        sweep(services)
    assert [one.job_id for one in services.fake_publisher.published] == ["sound"]


def test_a_hundred_that_are_no_deletions_do_not_hide_one_that_is(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    old = {"state": "pending", "requested_at": NOW}
    for number in range(150):
        services.add(f"taken-back-{number:03}", document("me", purge=old))
    services.add("the-overdue", deleted("me", purge=old))
    with caplog.at_level("ERROR", "nuumee"):
        assert [sweep(services) for _ in range(2)] == [[], ["the-overdue"]]
    assert [record.getMessage() for record in caplog.records] == ["purge_without_deletion"] * 150
    assert "purge" not in services.fake_repository.documents["taken-back-000"]


def test_a_mark_that_a_stale_copy_undid_is_put_again_and_the_job_is_purged_again(services: FakeServices) -> None:
    services.add("job-1", document("me"))
    services.fake_ledger.entries["job-1"] = entry("me", state="done", sweep_at=NOW)
    assert sweep(services) == []
    assert services.fake_repository.documents["job-1"]["deleted_at"] == NOW
    assert sweep(services) == ["job-1"]


def test_a_purge_with_objects_left_for_somebody_to_look_at_is_not_called_out_again(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    pend(services, "job-1", 1, sweeps=20, left=["images/me/uploads/1.png"])
    with caplog.at_level("WARNING", "nuumee"):
        assert sweep(services) == ["job-1"]
    assert [record.getMessage() for record in caplog.records] == ["purge_asked_again"]


@pytest.mark.parametrize("state", ["restoring", "restored"])
def test_a_dead_letter_of_a_deletion_that_was_taken_back_is_let_go(services: FakeServices, state: str) -> None:
    services.add("job-1", document("me"))
    services.fake_ledger.entries["job-1"] = entry("me", state=state, sweep_at=None)
    services.fake_dead_deletions.waiting = [letter(*JobDeleted("job-1", "me", NOW).encode())]
    services.fake_dead_uploads.waiting = [letter(*notification("me/job-1/output.mp4"))]
    assert sweep(services) == []
    assert services.fake_dead_deletions.waiting == services.fake_dead_uploads.waiting == []
    assert services.fake_ledger.dead_letters == {}
    assert len(services.fake_upload_publisher.forwarded) == 1
    assert services.fake_ledger.entries["job-1"]["state"] == state


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": "restoring"}, "restore_overdue"),
        ({"buckets": {"nuumee-images": {"error": "403"}}}, "purge_overdue"),
        ({}, "purge_asked_again"),
    ],
)
def test_what_is_left_elsewhere_hides_no_run_that_fails_again_and_again(
    services: FakeServices, changes: dict[str, Any], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    pend(services, "job-1", 1, sweeps=7, left=["videos/me/uploads/a.mp4"], **changes)
    with caplog.at_level("WARNING", "nuumee"):
        sweep(services)
    assert caplog.messages == [told]


def test_a_sweep_that_is_killed_while_it_looks_at_marks_has_asked_for_erasures(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    pend(services, "watched", 1)
    watched = {"state": "done", "watched_until": NOW + timedelta(hours=1), "sweep_at": NOW}
    services.fake_ledger.entries["watched"] |= watched
    services.fake_erasures.request("me", 1, None, by="me", now=NOW - timedelta(hours=1))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(services.deletions, "record_sweep", killed)
    with pytest.raises(KeyboardInterrupt):
        sweep(services)
    assert len(services.fake_erasure_publisher.published) == 1
