"""How uploads are processed, with fakes."""

from __future__ import annotations

import copy
import gzip
from typing import Any
from unittest.mock import Mock

import pytest
from werkzeug.exceptions import ServiceUnavailable

from functions.process_upload import process_upload
from shared.errors import Unavailable
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, deleted, document, entry
from tests.messages import envelope, notification

OUTPUTS = SETTINGS.outputs_bucket
NAME = "me/job-1/output.mp4"
MP4 = b"\0\0\0\x18ftypmp42" + bytes(200)


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


def upload(
    services: FakeServices, name: str = NAME, content: bytes = b"late", content_type: str = "video/mp4"
) -> dict[str, Any]:
    """Write an object's next generation. Returns its notification."""
    generations = services.fake_media.objects[OUTPUTS].setdefault(name, [])
    generations.append(content)
    about = notification(name, generation=len(generations), size=len(content), content_type=content_type)
    return envelope(*about)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_an_upload_after_the_delete_is_removed_and_recorded(services: FakeServices) -> None:
    services.add("job-1", deleted("me"))
    process_upload.receive(upload(services), services)
    assert services.fake_media.objects[OUTPUTS][NAME] == []
    purge = services.fake_ledger.entries["job-1"]
    assert (purge["late_objects"], purge["late_bytes"], purge["late_at"]) == (1, 4, NOW)


def test_just_the_generation_of_the_event_is_removed(services: FakeServices) -> None:
    services.add("job-1", deleted("me"))
    upload(services, content=b"first")
    process_upload.receive(upload(services, content=b"second"), services)
    assert services.fake_media.objects[OUTPUTS][NAME] == [b"first"]


def test_an_event_that_comes_twice_is_told_once(services: FakeServices) -> None:
    services.add("job-1", deleted("me"))
    event = upload(services)
    process_upload.receive(event, services)
    process_upload.receive(event, services)
    assert services.fake_ledger.entries["job-1"]["late_objects"] == 1


def test_a_removal_that_failed_comes_back_and_is_told_once(services: FakeServices) -> None:
    services.add("job-1", deleted("me"))
    event = upload(services)
    services.fake_media.broken = {OUTPUTS}
    with pytest.raises(ServiceUnavailable):
        process_upload.receive(event, services)
    services.fake_media.broken = set()
    process_upload.receive(event, services)
    assert services.fake_media.objects[OUTPUTS][NAME] == []
    assert services.fake_ledger.entries["job-1"]["late_objects"] == 1


def test_the_end_of_a_removal_that_could_not_be_recorded_is_recorded_when_its_event_comes_again(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.add("job-1", deleted("me"))
    event = upload(services)
    with monkeypatch.context() as patch:
        patch.setattr(services.deletions, "end_late_removal", Mock(side_effect=Unavailable("Firestore")))
        with pytest.raises(ServiceUnavailable):
            process_upload.receive(event, services)
    assert services.fake_ledger.entries["job-1"]["running"], "so a restore waits"
    process_upload.receive(event, services)
    assert services.fake_ledger.entries["job-1"]["running"] == {}


@pytest.mark.parametrize(
    "name",
    ["me/job-1/", "me/job-1//1.bin", "me/job-1/a\\b.mp4", "me/job-1/./x", "me/job-1/../job-2/a", "me/job-1/a\nb"],
)
def test_a_late_upload_is_removed_however_odd_its_name(services: FakeServices, name: str) -> None:
    services.add("job-1", deleted("me"))
    process_upload.receive(upload(services, name), services)
    assert services.fake_media.objects[OUTPUTS][name] == []


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("me/job-1/motion.mp4", document("me")),
        (NAME, None),
        (NAME, deleted("you")),
        ("job-1/output.mp4", deleted("me")),
        ("me//output.mp4", deleted("me")),
        ("me/job-1", deleted("me")),
        ("exports/2026/jobs.csv", deleted("me")),
    ],
)
def test_nothing_else_is_removed_or_written(services: FakeServices, name: str, fields: Any) -> None:
    if fields:
        services.add("job-1", fields)
    before = copy.deepcopy(services.fake_repository.documents)
    process_upload.receive(upload(services, name), services)
    assert services.fake_media.objects[OUTPUTS][name] == [b"late"]
    assert services.fake_repository.documents == before


@pytest.mark.parametrize(
    "changes",
    [
        {"eventType": "OBJECT_DELETE"},
        {"bucketId": "somebody-elses"},
        {"bucketId": ""},
        {"objectId": ""},
        {"objectGeneration": "-1"},
        {"objectGeneration": "one"},
    ],
)
def test_what_is_no_notification_of_ours_is_recorded_and_acknowledged(
    services: FakeServices, changes: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job-1", deleted("me"))
    upload(services)
    with caplog.at_level("ERROR", "nuumee"):
        process_upload.receive(envelope(*notification(NAME, changes=changes)), services)
    assert [record.getMessage() for record in caplog.records] == ["event_never"]
    assert services.fake_media.objects[OUTPUTS][NAME] == [b"late"]


def test_an_output_completes_its_job_and_gives_it_a_link(services: FakeServices) -> None:
    services.add("job-1", document("me", status="processing", completed_at=None))
    process_upload.receive(upload(services, content=MP4), services)
    fields = services.fake_repository.documents["job-1"]
    assert (fields["status"], fields["output_video_path"], fields["completed_at"]) == ("completed", NAME, NOW)
    assert services.fake_shares.links == {fields["short_id"]: "job-1"}
    before = copy.deepcopy(fields)
    process_upload.receive(upload(services, content=MP4), services)
    assert services.fake_repository.documents["job-1"] == before


def test_an_output_completes_its_job_although_an_earlier_owners_job_with_this_id_was_deleted(
    services: FakeServices,
) -> None:
    services.add("job-1", document("me", status="processing", completed_at=None))
    services.fake_ledger.entries["job-1"] = entry("somebody-else", state="done")
    process_upload.receive(upload(services, content=MP4), services)
    assert services.fake_repository.documents["job-1"]["status"] == "completed"


def test_a_late_upload_of_an_earlier_owner_is_removed_though_the_next_one_has_deleted_too(
    services: FakeServices,
) -> None:
    mine = entry("me", state="done")
    services.fake_ledger.entries["job-1"] = entry("somebody-else", state="done", earlier=[mine])
    process_upload.receive(upload(services, content=MP4), services)
    assert services.fake_media.objects[OUTPUTS] == {NAME: []}


@pytest.mark.parametrize(
    "earlier", [entry("me", state="restored"), entry("another", state="done")], ids=["restored", "another's"]
)
def test_an_upload_stays_where_no_deletion_of_its_owners_stood(
    services: FakeServices, earlier: dict[str, Any]
) -> None:
    services.fake_ledger.entries["job-1"] = entry("somebody-else", state="done", earlier=[earlier])
    process_upload.receive(upload(services, content=MP4), services)
    assert services.fake_media.objects[OUTPUTS] == {NAME: [MP4]}


def test_an_upload_for_a_live_job_stays_though_its_owner_deleted_one_with_this_id_before(
    services: FakeServices,
) -> None:
    services.add("job-1", document("me", status="processing"))
    mine = entry("me", state="done")
    services.fake_ledger.entries["job-1"] = entry("somebody-else", state="done", earlier=[mine])
    process_upload.receive(upload(services, content=MP4), services)
    assert services.fake_repository.documents["job-1"]["status"] == "completed"
    assert services.fake_media.objects[OUTPUTS] == {NAME: [MP4]}


@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "image/png", ""])
@pytest.mark.parametrize(
    "content", [MP4, b"\x1a\x45\xdf\xa3" + bytes(200), MP4[:12]], ids=["mp4", "webm", "short"]
)
def test_a_video_completes_its_job_whatever_its_declared_type(
    services: FakeServices, content: bytes, content_type: str
) -> None:
    services.add("job-1", document("me", status="processing"))
    process_upload.receive(upload(services, content=content, content_type=content_type), services)
    assert services.fake_repository.documents["job-1"]["status"] == "completed"


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", gzip.compress(MP4), b"\x89PNG\r\n\x1a\n" + bytes(99), b"\0\0\0\x18ftypavif" + bytes(99)],
    ids=["empty", "text", "compressed", "picture", "still"],
)
def test_what_is_no_video_completes_nothing_and_is_logged(
    services: FakeServices, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job-1", document("me", status="processing"))
    before = copy.deepcopy(services.fake_repository.documents)
    with caplog.at_level("WARNING", "nuumee"):
        process_upload.receive(upload(services, content=content), services)
    assert services.fake_repository.documents == before
    assert said(caplog) == ["output_refused"]


@pytest.mark.parametrize("there", [[], [MP4], [MP4, MP4, b"newer"]], ids=["nothing", "older", "newer"])
def test_an_event_of_an_object_that_is_not_the_live_one_changes_nothing_and_is_logged(
    services: FakeServices, there: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job-1", document("me", status="processing"))
    before = copy.deepcopy(services.fake_repository.documents)
    services.fake_media.objects[OUTPUTS][NAME] = there
    with caplog.at_level("INFO", "nuumee"):
        process_upload.receive(envelope(*notification(NAME, generation=2, size=len(MP4))), services)
    assert services.fake_repository.documents == before
    assert services.fake_shares.links == {}
    assert said(caplog) == ["upload_gone", "event_done"]


def test_the_bytes_that_are_told_of_a_removal_are_the_object_s_own(services: FakeServices) -> None:
    services.add("job-1", deleted("me"))
    upload(services, content=b"12345")
    process_upload.receive(envelope(*notification(NAME, size=10**15)), services)
    assert services.fake_ledger.entries["job-1"]["late_bytes"] == 5


@pytest.mark.parametrize("name", ["me/job-1/poster.webp", "me/job-1/preview.mp4", "me/job-1/parts/output.mp4"])
def test_other_objects_of_a_live_job_change_nothing(services: FakeServices, name: str) -> None:
    services.add("job-1", document("me", status="processing"))
    before = copy.deepcopy(services.fake_repository.documents)
    process_upload.receive(upload(services, name), services)
    assert services.fake_repository.documents == before
