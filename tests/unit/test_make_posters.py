"""What a new image or video leads to on the tiles, with fakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functions import make_posters as module
from functions.make_posters import make_posters
from shared.errors import Reason, Unpicturable
from shared.posters import Posters
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import deleted, document
from tests.messages import envelope, notification

IMAGES, VIDEOS, OUTPUTS = SETTINGS.buckets


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The contents that pictures were made of; there is a preview of all but images."""
    contents: list[bytes] = []

    def make(source: Path) -> Posters:
        contents.append(source.read_bytes())
        return Posters(b"poster", None if contents[-1] == b"image" else b"preview")

    monkeypatch.setattr(module, "make", make)
    return contents


def upload(services: FakeServices, bucket: str, name: str, content: bytes, **told: Any) -> dict[str, Any]:
    generations = services.fake_media.objects[bucket].setdefault(name, [])
    generations.append(content)
    about = {"generation": len(generations), "size": len(content), **told}
    return envelope(*notification(name, bucket=bucket, **about))


@pytest.mark.parametrize(
    ("bucket", "name", "medium"),
    [(VIDEOS, "motion.mov", "motion_video"), (OUTPUTS, "output.mp4", "output_video")],
)
def test_a_video_gets_a_poster_and_a_preview_beside_it(
    services: FakeServices, seen: list[bytes], bucket: str, name: str, medium: str
) -> None:
    services.add("job-1", document("me"))
    make_posters.receive(upload(services, bucket, f"me/job-1/{name}", b"video"), services)
    store = services.fake_media
    assert store.objects[bucket]["me/job-1/poster.webp"] == [b"poster"]
    assert store.objects[bucket]["me/job-1/preview.mp4"] == [b"preview"]
    assert store.content_types == {"me/job-1/poster.webp": "image/webp", "me/job-1/preview.mp4": "video/mp4"}
    fields = services.fake_repository.documents["job-1"]
    assert fields["posters"] == {medium: "me/job-1/poster.webp"}
    assert fields["previews"] == {medium: "me/job-1/preview.mp4"}


def test_an_image_gets_a_poster_alone(services: FakeServices, seen: list[bytes]) -> None:
    services.add("job-1", document("me"))
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.png", b"image"), services)
    assert services.fake_repository.documents["job-1"]["posters"] == {"reference_image": "me/job-1/poster.webp"}
    assert "previews" not in services.fake_repository.documents["job-1"]


def test_inputs_that_came_before_their_job_are_known_once_the_output_is(
    services: FakeServices, seen: list[bytes]
) -> None:
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.png", b"image"), services)
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    services.add("job-1", document("me"))
    make_posters.receive(upload(services, OUTPUTS, "me/job-1/output.mp4", b"video"), services)
    fields = services.fake_repository.documents["job-1"]
    assert set(fields["posters"]) == {"reference_image", "motion_video", "output_video"}
    assert set(fields["previews"]) == {"motion_video", "output_video"}


@pytest.mark.parametrize(
    ("bucket", "name"),
    [
        (OUTPUTS, "me/job-1/poster.webp"),
        (OUTPUTS, "me/job-1/preview.mp4"),
        (IMAGES, "me/job-1/poster.webp"),
        (OUTPUTS, "me/job-1/output.mp4.part"),
        (VIDEOS, "me/job-1/parts/motion.mp4"),
        (VIDEOS, "me/job-1/output.mp4"),
        (IMAGES, "exports/reference.png"),
        (IMAGES, "me/gone/reference.png"),
    ],
)
def test_nothing_is_made_of_other_objects_or_for_a_deleted_job(
    services: FakeServices, seen: list[bytes], bucket: str, name: str
) -> None:
    services.add("job-1", document("me"))
    services.add("gone", deleted("me"))
    make_posters.receive(upload(services, bucket, name, b"video"), services)
    assert seen == []


@pytest.mark.parametrize("why", ["hostile", "too large", "gone"])
def test_what_no_picture_can_be_made_of_keeps_its_original(
    services: FakeServices, seen: list[bytes], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def refuse(_: Path) -> Posters:
        raise Unpicturable(Reason.TOO_LARGE, "16,000 by 16,000")

    services.add("job-1", document("me"))
    told = {"size": 2**40} if why == "too large" else {"generation": 9} if why == "gone" else {}
    if why == "hostile":
        monkeypatch.setattr(module, "make", refuse)
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video", **told), services)
    assert seen == []
    assert "posters" not in services.fake_repository.documents["job-1"]
    assert list(services.fake_media.objects[VIDEOS]) == ["me/job-1/motion.mp4"]
