"""What a purge does about restores, vanished documents, stale copies, and objects that the job names elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from functions.delete_job import delete_job
from functions.list_jobs import list_jobs
from functions.purge_job import purge_job
from shared.errors import Unavailable
from shared.messaging.events import JobDeleted
from tests.calls import call
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, deleted, document, entry
from tests.messages import message

IMAGES, VIDEOS, OUTPUTS = SETTINGS.buckets
EVENT = message(JobDeleted("job-1", "me", NOW))
UPLOAD = "me/uploads/motion.mp4"


@pytest.fixture
def services() -> FakeServices:
    """A deleted job with a file in each bucket, and one that it names elsewhere."""
    services = FakeServices()
    services.add("job-1", document("me", motion_video_path=UPLOAD))
    for bucket in SETTINGS.buckets:
        services.fake_media.objects[bucket]["me/job-1/file"] = [b"x"]
    services.fake_media.objects[VIDEOS][UPLOAD] = [b"x"]
    assert call(delete_job, services, "/jobs/job-1", method="DELETE").status_code == 202
    return services


def state(services: FakeServices) -> str:
    return str(services.fake_ledger.entries["job-1"]["state"])


def purge(services: FakeServices) -> None:
    purge_job.receive(EVENT, services)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("taken_back", ["restoring", "restored"])
def test_an_event_of_a_deletion_that_was_taken_back_removes_nothing_and_wakes_nobody(
    services: FakeServices, taken_back: str, caplog: pytest.LogCaptureFixture
) -> None:
    services.fake_ledger.entries["job-1"]["state"] = taken_back
    before = dict(services.fake_ledger.entries["job-1"])
    with caplog.at_level("INFO", "nuumee"):
        purge(services)
    assert said(caplog) == ["purge_not_wanted", "event_done"]
    assert services.fake_ledger.entries["job-1"] == before
    assert services.fake_media.objects[IMAGES] == {"me/job-1/file": [b"x"]}


def test_a_deletion_that_is_taken_back_during_the_purge_stops_it(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds = services.deletions.still_holds

    def taken_back(*args: Any) -> bool:
        if "me/job-1/file" not in services.fake_media.objects[IMAGES]:
            services.fake_ledger.entries["job-1"]["state"] = "restoring"
        return holds(*args)

    monkeypatch.setattr(services.deletions, "still_holds", taken_back)
    purge(services)
    there = [bucket for bucket in SETTINGS.buckets if "me/job-1/file" in services.fake_media.objects[bucket]]
    assert (there, state(services)) == ([VIDEOS, OUTPUTS], "restoring")
    assert services.fake_ledger.entries["job-1"]["buckets"][IMAGES]["objects"] == 1


@pytest.mark.parametrize("document_is", ["gone", "a stale copy", "another user's"])
def test_the_owners_files_go_whatever_has_become_of_the_document(services: FakeServices, document_is: str) -> None:
    del services.fake_media.objects[VIDEOS][UPLOAD]
    del services.fake_repository.documents["job-1"]
    if document_is != "gone":
        services.add("job-1", document("me" if document_is == "a stale copy" else "you"))
    services.fake_media.objects[IMAGES]["you/job-1/file"] = [b"x"]
    # The writer of the stale copy may have brought files, so the first run is followed by another.
    if document_is == "a stale copy":
        purge(services)
    purge(services)
    there = {name for bucket in SETTINGS.buckets for name in services.fake_media.objects[bucket]}
    assert (there, state(services)) == ({"you/job-1/file"}, "done")
    fields = services.fake_repository.documents.get("job-1", {})
    assert fields.get("deleted_at") == (NOW if document_is == "a stale copy" else None)


def test_what_the_job_names_elsewhere_is_told_once_and_kept_and_the_purge_is_not_done(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("ERROR", "nuumee"):
        purge(services)
        purge(services)
    assert said(caplog) == ["purge_left_objects"]
    assert services.fake_media.objects[VIDEOS] == {UPLOAD: [b"x"]}
    assert state(services) == "pending"
    receipt: Any = call(list_jobs, services, "/jobs/job-1/deletion").json
    assert receipt["left"] == [f"videos/{UPLOAD}"]
    del services.fake_media.objects[VIDEOS][UPLOAD]
    purge(services)
    assert state(services) == "done"
    assert call(list_jobs, services, "/jobs/job-1/deletion").json["left"] == []  # type: ignore[index]


def test_a_run_that_cannot_look_at_what_the_job_names_elsewhere_records_what_it_removed(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: str) -> bool:
        raise Unavailable("Cloud Storage")

    monkeypatch.setattr(services.fake_media, "is_there", away)
    with pytest.raises(ServiceUnavailable):
        purge(services)
    assert state(services) == "pending"
    entry = services.fake_ledger.entries["job-1"]
    assert not entry["running"]  # so a restore need not wait
    assert {bucket: one["objects"] for bucket, one in entry["buckets"].items()} == dict.fromkeys(
        SETTINGS.buckets, 1
    )
    monkeypatch.undo()
    services.fake_media.objects[VIDEOS].clear()
    purge(services)
    assert state(services) == "done"


NEEDED: dict[str, Callable[[FakeServices], None]] = {
    "a live job names it too": lambda services: services.add("job-2", document("me", input_video_path=UPLOAD)),
    "it is not there": lambda services: services.fake_media.objects[VIDEOS].clear(),
}


@pytest.mark.parametrize("case", NEEDED)
def test_a_purge_is_done_if_what_the_job_names_elsewhere_is_needed_or_gone(
    services: FakeServices, case: str
) -> None:
    NEEDED[case](services)
    purge(services)
    assert state(services) == "done"


@pytest.mark.parametrize(
    "other", [document("you", motion_video_path=UPLOAD), deleted("me", motion_video_path=UPLOAD)]
)
def test_another_users_or_a_deleted_job_that_names_it_too_needs_it_not(
    services: FakeServices, other: dict[str, Any]
) -> None:
    services.add("job-2", other)
    purge(services)
    assert state(services) == "pending"


def test_an_object_of_a_live_job_is_needed_although_its_document_does_not_name_it(services: FakeServices) -> None:
    services.add("job-1", deleted("me", input_video_path="me/job-2/output.mp4"))
    services.fake_ledger.entries["job-1"]["named"] = []
    services.fake_media.objects[OUTPUTS]["me/job-2/output.mp4"] = [b"x"]
    services.add("job-2", document("me"))
    purge(services)
    assert state(services) == "done"
    assert services.fake_media.objects[OUTPUTS] == {"me/job-2/output.mp4": [b"x"]}


def add_two_that_cross(services: FakeServices) -> None:
    """Two deleted jobs, of which the first names an object of the second."""
    services.add("job-1", deleted("me", input_video_path="me/job-2/output.mp4"))
    services.fake_ledger.entries["job-1"]["named"] = []
    services.fake_media.objects[OUTPUTS]["me/job-2/output.mp4"] = [b"x"]
    services.add("job-2", deleted("me"))
    services.fake_ledger.entries["job-2"] = entry("me")


def test_a_purge_waits_for_the_purge_of_the_job_whose_object_it_names(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    add_two_that_cross(services)
    with caplog.at_level("ERROR", "nuumee"), pytest.raises(ServiceUnavailable):
        purge(services)
    assert (said(caplog), state(services)) == ([], "pending")
    purge_job.receive(message(JobDeleted("job-2", "me", NOW)), services)
    purge(services)
    assert state(services) == "done"


def test_an_object_that_another_purge_removes_while_it_is_looked_for_is_not_left(
    services: FakeServices, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_two_that_cross(services)
    is_there = services.fake_media.is_there

    def purged_at_once(bucket: str, name: str) -> bool:
        found = is_there(bucket, name)
        if found:
            purge_job.receive(message(JobDeleted("job-2", "me", NOW)), services)
        return found

    monkeypatch.setattr(services.fake_media, "is_there", purged_at_once)
    with caplog.at_level("ERROR", "nuumee"):
        purge(services)
    assert (said(caplog), state(services)) == ([], "done")


def test_the_receipt_says_what_was_removed_and_when_the_last_copy_goes(services: FakeServices) -> None:
    del services.fake_media.objects[VIDEOS][UPLOAD]
    del services.fake_media.objects[OUTPUTS]["me/job-1/file"]
    purge(services)
    receipt: Any = call(list_jobs, services, "/jobs/job-1/deletion").json
    now, kept = "2026-11-22T12:07:30.250000Z", "2026-11-29T12:07:30.250000Z"
    removed = {"objects": 1, "bytes": 1, "proved_empty_at": now, "recoverable_until": kept}
    assert receipt == {
        "job_id": "job-1",
        "requested_at": now,
        "requested_by": "me",
        "state": "done",
        "left": [],
        "buckets": {
            "images": removed,
            "videos": removed,
            "outputs": {"objects": 0, "bytes": 0, "proved_empty_at": now, "recoverable_until": None},
        },
        "late_objects": 0,
        "late_bytes": 0,
        "proved_empty_at": now,
    }
    services.fake_retention.kept = None
    receipt = call(list_jobs, services, "/jobs/job-1/deletion").json
    assert receipt["buckets"]["images"]["recoverable_until"] is None


def test_the_receipt_names_a_last_copy_of_what_a_run_removed_that_was_cut_off(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("Firestore")

    with monkeypatch.context() as broken:
        broken.setattr(services.deletions, "end_purge", fail)
        with pytest.raises(ServiceUnavailable):
            purge(services)
    for minutes in (1, 30):  # the second run is a sweep's, and finds nothing that is new
        services.now = lambda minutes=minutes: NOW + timedelta(minutes=minutes)  # type: ignore[misc]
        purge(services)
        receipt: Any = call(list_jobs, services, "/jobs/job-1/deletion").json
        told = {(one["objects"], one["recoverable_until"]) for one in receipt["buckets"].values()}
        assert told == {(0, "2026-11-29T12:08:30.250000Z")}
    deletion = services.deletions.of("job-1")
    assert deletion is not None
    assert deletion.first_removal == NOW


def test_a_receipt_does_not_guess_how_long_a_bucket_keeps_files(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise Unavailable("Cloud Storage")

    # A running function that has read the policy once answers without Storage.
    monkeypatch.setattr(services.fake_retention, "of", fail)
    assert call(list_jobs, services, "/jobs/job-1/deletion").status_code == 200, "nothing is removed yet"
    purge(services)
    answer = call(list_jobs, services, "/jobs/job-1/deletion")
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)


@pytest.mark.parametrize("case", ["live", "unknown", "another user's", "damaged"])
def test_there_is_no_receipt_of_anything_but_ones_own_deletion(services: FakeServices, case: str) -> None:
    services.add("live", document("me"))
    services.add("damaged", deleted("me", deleted_at="then"))
    job_id = "job-1" if case == "another user's" else case
    user = "you" if case == "another user's" else "me"
    answer: Any = call(list_jobs, services, f"/jobs/{job_id}/deletion", user=user)
    assert (answer.status_code, answer.json["detail"]) == (404, "There is no such job.")


def test_a_deletion_that_older_code_made_has_a_receipt_too(services: FakeServices) -> None:
    buckets = {IMAGES: {"objects": 2, "bytes": 9, "error": None}}
    old = {"state": "done", "requested_at": NOW, "finished_at": NOW, "buckets": buckets}
    services.add("old", deleted("me", deleted_by="operator", purge=old))
    receipt: Any = call(list_jobs, services, "/jobs/old/deletion").json
    assert (receipt["state"], receipt["requested_by"], receipt["buckets"]["images"]["objects"]) == (
        *("done", "operator"),
        2,
    )


def test_a_run_that_fails_forgets_nothing_that_is_left_elsewhere(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("ERROR", "nuumee"):
        purge(services)
        services.fake_media.broken.add(IMAGES)
        with pytest.raises(ServiceUnavailable):
            purge(services)
        receipt: Any = call(list_jobs, services, "/jobs/job-1/deletion").json
        services.fake_media.broken.clear()
        purge(services)
    assert receipt["left"] == [f"videos/{UPLOAD}"]
    assert said(caplog) == ["purge_left_objects"]
