"""What an upload leads to, with fakes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from functions.process_upload import process_upload
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, deleted, document
from tests.messages import envelope, notification

OUTPUTS = SETTINGS.outputs_bucket
NAME = "me/job-1/output.mp4"


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


def upload(services: FakeServices, name: str = NAME, content: bytes = b"late") -> dict[str, Any]:
    """Put an object's next generation in place; give the message that tells of it."""
    generations = services.fake_media.objects[OUTPUTS].setdefault(name, [])
    generations.append(content)
    return envelope(*notification(name, generation=len(generations), size=len(content)))


def test_what_comes_after_the_delete_is_removed_and_told(services: FakeServices) -> None:
    services.add("job-1", deleted("me"))
    process_upload.receive(upload(services), services)
    assert services.fake_media.objects[OUTPUTS][NAME] == []
    purge = services.fake_repository.documents["job-1"]["purge"]
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
    assert services.fake_repository.documents["job-1"]["purge"]["late_objects"] == 1


def test_a_removal_that_failed_comes_back_and_is_told_once(services: FakeServices) -> None:
    services.add("job-1", deleted("me"))
    event = upload(services)
    services.fake_media.broken = {OUTPUTS}
    with pytest.raises(ServiceUnavailable):
        process_upload.receive(event, services)
    services.fake_media.broken = set()
    process_upload.receive(event, services)
    assert services.fake_media.objects[OUTPUTS][NAME] == []
    assert services.fake_repository.documents["job-1"]["purge"]["late_objects"] == 1


@pytest.mark.parametrize(
    "name",
    ["me/job-1/", "me/job-1//1.bin", "me/job-1/a\\b.mp4", "me/job-1/./x", "me/job-1/../job-2/a", "me/job-1/a\nb"],
)
def test_all_that_the_purge_would_take_goes_late_too_however_odd_its_name(
    services: FakeServices, name: str
) -> None:
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
    process_upload.receive(upload(services), services)
    fields = services.fake_repository.documents["job-1"]
    assert (fields["status"], fields["output_video_path"], fields["completed_at"]) == ("completed", NAME, NOW)
    assert services.fake_shares.links == {fields["short_id"]: "job-1"}
    before = copy.deepcopy(fields)
    process_upload.receive(upload(services), services)
    assert services.fake_repository.documents["job-1"] == before


@pytest.mark.parametrize(
    "changes", [{"size": 0}, {"content_type": "text/html"}, {"content_type": ""}, {"content_type": "image/png"}]
)
def test_what_is_no_video_completes_nothing_and_is_logged(
    services: FakeServices, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job-1", document("me", status="processing"))
    before = copy.deepcopy(services.fake_repository.documents)
    with caplog.at_level("WARNING", "nuumee"):
        process_upload.receive(envelope(*notification(NAME, **changes)), services)
    assert services.fake_repository.documents == before
    assert [record.getMessage() for record in caplog.records] == ["output_refused"]


@pytest.mark.parametrize("name", ["me/job-1/poster.webp", "me/job-1/preview.mp4", "me/job-1/parts/output.mp4"])
def test_other_objects_of_a_live_job_change_nothing(services: FakeServices, name: str) -> None:
    services.add("job-1", document("me", status="processing"))
    before = copy.deepcopy(services.fake_repository.documents)
    process_upload.receive(upload(services, name), services)
    assert services.fake_repository.documents == before
