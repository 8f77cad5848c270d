"""Which pictures a new image or video gets, with fakes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import IO, Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from functions import make_posters as module
from functions.make_posters import make_posters
from shared.errors import DecoderFailed, DecoderUnfiltered
from shared.posters.posters import Posters, SharePicture
from shared.posters.unpicturable import Reason, Unpicturable
from shared.storage.objects import Description
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, deleted, document, entry
from tests.messages import envelope, notification

IMAGES, VIDEOS, OUTPUTS = SETTINGS.buckets


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The contents from which pictures were made. Everything except images gets a preview."""
    contents: list[bytes] = []

    def make(source: IO[bytes], **_: bool) -> Posters:
        source.seek(0)
        contents.append(source.read())
        return Posters(b"poster", None if contents[-1] == b"image" else b"preview")

    monkeypatch.setattr(module, "make", make)
    return contents


def refused(*_: object, **__: bool) -> Posters:
    raise Unpicturable(Reason.BROKEN)


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


def test_an_image_that_browsers_do_not_show_gets_a_view_as_well(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(*_: object, **__: bool) -> Posters:
        return Posters(b"poster", view=b"view", plays_everywhere=False)

    services.add("job-1", document("me"))
    monkeypatch.setattr(module, "make", make)
    make_posters.receive(upload(services, IMAGES, "me/job-1/Reference.HEIC", b"image"), services)
    assert services.fake_media.objects[IMAGES]["me/job-1/view.webp"] == [b"view"]
    fields = services.fake_repository.documents["job-1"]
    assert fields["views"] == {"reference_image": "me/job-1/view.webp"}
    assert fields["playable"] == {"reference_image": False}


def test_an_image_that_browsers_show_does_not_keep_the_view_of_its_predecessor(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(*_: object, **__: bool) -> Posters:
        return Posters(b"poster", view=views.pop(0), plays_everywhere=False)

    views = [b"view", None]
    services.add("job-1", document("me"))
    monkeypatch.setattr(module, "make", make)
    for content in (b"first", b"second"):
        make_posters.receive(upload(services, IMAGES, "me/job-1/reference.heic", content), services)
    assert not services.fake_media.objects[IMAGES]["me/job-1/view.webp"]
    assert len(services.fake_media.objects[IMAGES]["me/job-1/poster.webp"]) == 2
    assert services.fake_repository.documents["job-1"]["views"] == {"reference_image": None}


@pytest.mark.parametrize(
    ("bucket", "name", "wishes"),
    [
        (IMAGES, "reference.gif", {"is_for_video": False, "is_output": False}),
        (VIDEOS, "motion.gif", {"is_for_video": True, "is_output": False}),
        (OUTPUTS, "output.mp4", {"is_for_video": True, "is_output": True}),
    ],
)
def test_what_is_made_depends_on_the_medium(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, bucket: str, name: str, wishes: dict[str, bool]
) -> None:
    def make(*_: object, unfiltered_too: bool, **asked: bool) -> Posters:
        assert asked == wishes
        shared = SharePicture(b"shared", (675, 1200)) if bucket == OUTPUTS else None
        return Posters(b"poster", storyboard=b"storyboard", share_picture=shared)

    services.add("job-1", document("me"))
    monkeypatch.setattr(module, "make", make)
    make_posters.receive(upload(services, bucket, f"me/job-1/{name}", b"content"), services)
    fields = services.fake_repository.documents["job-1"]
    storyboards = {"output_video": "me/job-1/storyboard.webp"} if bucket == OUTPUTS else None
    assert fields.get("storyboards") == storyboards
    named = {"name": "me/job-1/picture.jpg", "width": 675, "height": 1200} if bucket == OUTPUTS else None
    assert fields.get("share_picture") == named
    assert services.fake_media.content_types.get("me/job-1/picture.jpg") == (named and "image/jpeg")


def test_a_large_gif_is_read_at_both_ends_as_a_video_and_refused_as_a_picture(
    services: FakeServices, seen: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WHOLE_UP_TO", 20)
    monkeypatch.setattr(module, "END_READ", 5)
    content = b"GIF89a" + b"x" * 34
    services.add("job-1", document("me"))
    for bucket, name in ((IMAGES, "reference.gif"), (VIDEOS, "motion.gif")):
        make_posters.receive(upload(services, bucket, f"me/job-1/{name}", content), services)
    assert seen == [content[:15] + bytes(20) + content[35:]]
    posters = services.fake_repository.documents["job-1"]["posters"]
    assert posters == {"reference_image": None, "motion_video": "me/job-1/poster.webp"}


def test_an_output_that_is_replaced_by_one_without_pictures_keeps_none_for_chats(
    services: FakeServices, seen: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = {"name": "me/job-1/picture.jpg", "width": 675, "height": 1200}
    services.add("job-1", document("me", share_picture=stored))
    with monkeypatch.context() as patched:
        patched.setattr(module, "make", refused)
        make_posters.receive(upload(services, OUTPUTS, "me/job-1/output.mp4", b"broken"), services)
    assert services.fake_repository.documents["job-1"]["share_picture"] is None


def test_pictures_made_before_there_were_share_pictures_are_made_again(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me"))
    event = upload(services, OUTPUTS, "me/job-1/output.mp4", b"video")
    make_posters.receive(event, services)
    make_posters.receive(event, services)
    assert seen == [b"video"]
    told = services.fake_media.metadata[OUTPUTS, "me/job-1/poster.webp"]
    without = {key: value for key, value in told.items() if key != "nuumee-share-picture"}
    services.fake_media.metadata[OUTPUTS, "me/job-1/poster.webp"] = without
    make_posters.receive(event, services)
    assert seen == [b"video", b"video"]


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
    paths = {"reference_image_path": "me/job-1/reference.png", "motion_video_path": "me/job-1/motion.mp4"}
    services.add("job-1", document("me", **paths))
    make_posters.receive(upload(services, OUTPUTS, "me/job-1/output.mp4", b"video"), services)
    fields = services.fake_repository.documents["job-1"]
    assert set(fields["posters"]) == {"reference_image", "motion_video", "output_video"}
    assert set(fields["previews"]) == {"motion_video", "output_video"}


def test_a_job_that_was_made_from_another_s_inputs_shows_their_pictures(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("first", document("me"))
    make_posters.receive(upload(services, IMAGES, "me/first/reference.png", b"image"), services)
    paths = {"reference_image_path": "me/first/reference.png", "motion_video_path": "you/first/motion.mp4"}
    services.add("again", document("me", **paths))
    make_posters.receive(upload(services, OUTPUTS, "me/again/output.mp4", b"video"), services)
    assert services.fake_repository.documents["again"]["posters"] == {
        "reference_image": "me/first/poster.webp",
        "output_video": "me/again/poster.webp",
    }


def test_an_earlier_job_s_input_whose_pictures_are_still_to_come_is_not_known_to_have_none(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("again", document("me", motion_video_path="me/first/motion.mp4"))
    make_posters.receive(upload(services, OUTPUTS, "me/again/output.mp4", b"video"), services)
    posters = services.fake_repository.documents["again"]["posters"]
    assert posters == {"output_video": "me/again/poster.webp"}


def test_an_earlier_job_s_input_of_which_no_pictures_could_be_made_is_known_to_have_none(
    services: FakeServices, seen: list[bytes]
) -> None:
    path = "me/first/motion.mp4"
    services.add("first", document("me", motion_video_path=path, posters={"motion_video": None}))
    services.add("again", document("me", motion_video_path=path))
    make_posters.receive(upload(services, OUTPUTS, "me/again/output.mp4", b"video"), services)
    posters = services.fake_repository.documents["again"]["posters"]
    assert posters == {"motion_video": None, "output_video": "me/again/poster.webp"}


def test_an_event_that_comes_again_makes_nothing_again(services: FakeServices, seen: list[bytes]) -> None:
    services.add("job-1", document("me"))
    event = upload(services, VIDEOS, "me/job-1/motion.mp4", b"video")
    make_posters.receive(event, services)
    del services.fake_repository.documents["job-1"]["posters"]
    make_posters.receive(event, services)
    assert seen == [b"video"]
    assert services.fake_repository.documents["job-1"]["posters"] == {"motion_video": "me/job-1/poster.webp"}


def test_a_newer_medium_gets_newer_pictures_and_an_older_event_does_not_bring_them_back(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me"))
    first = upload(services, IMAGES, "me/job-1/reference.png", b"first")
    second = upload(services, IMAGES, "me/job-1/reference.png", b"image")
    make_posters.receive(second, services)
    make_posters.receive(first, services)
    assert seen == [b"image"]
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.png", b"third"), services)
    assert seen == [b"image", b"third"]
    assert len(services.fake_media.objects[IMAGES]["me/job-1/poster.webp"]) == 2


def test_a_medium_that_is_replaced_while_its_pictures_are_made_records_nothing(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_late(*_: object, **__: bool) -> Posters:
        services.fake_media.objects[VIDEOS]["me/job-1/motion.mp4"].append(b"newer")
        raise Unpicturable(Reason.BROKEN)

    services.add("job-1", document("me"))
    monkeypatch.setattr(module, "make", refuse_late)
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    assert "posters" not in services.fake_repository.documents["job-1"]


def test_of_two_files_for_one_medium_the_one_that_the_job_names_is_shown(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me", reference_image_path="me/job-1/reference.jpg"))
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.jpg", b"image"), services)
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.png", b"other"), services)
    assert seen == [b"image"]
    services.fake_repository.documents["job-1"]["reference_image_path"] = "me/job-1/reference.png"
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.png", b"third"), services)
    assert seen == [b"image", b"third"]


def test_pictures_of_an_upload_that_the_new_job_does_not_name_are_not_shown_as_its_own(
    services: FakeServices, seen: list[bytes]
) -> None:
    event = upload(services, IMAGES, "me/job-1/reference.jpg", b"image")
    services.add("job-1", document("me", reference_image_path="me/first/reference.jpg"))
    make_posters.receive(event, services)
    assert "posters" not in services.fake_repository.documents["job-1"]


def test_of_two_files_before_their_job_the_newer_one_is_shown(services: FakeServices, seen: list[bytes]) -> None:
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.png", b"image"), services)
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.jpg", b"other"), services)
    services.add("job-1", document("me", reference_image_path="me/job-1/reference.jpg"))
    make_posters.receive(upload(services, OUTPUTS, "me/job-1/output.mp4", b"video"), services)
    assert seen == [b"image", b"other", b"video"]
    assert services.fake_repository.documents["job-1"]["posters"]["reference_image"] == "me/job-1/poster.webp"


def test_a_second_file_without_pictures_leaves_the_first_one_s(
    services: FakeServices, seen: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.jpg", b"image"), services)
    with monkeypatch.context() as patched:
        patched.setattr(module, "make", refused)
        make_posters.receive(upload(services, IMAGES, "me/job-1/reference.pdf", b"document"), services)
    assert services.fake_media.objects[IMAGES]["me/job-1/poster.webp"] == [b"poster"]


def test_an_input_without_pictures_is_known_for_that_once_the_output_is_there_but_not_as_unplayable(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me", motion_video_path="me/job-1/motion.mp4"))
    make_posters.receive(upload(services, OUTPUTS, "me/job-1/output.mp4", b"video"), services)
    fields = services.fake_repository.documents["job-1"]
    posters = fields["posters"]
    assert posters == {"motion_video": None, "output_video": "me/job-1/poster.webp"}
    assert fields["playable"] == {"output_video": True}, "its own event may still wait"
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    assert fields["playable"] == {"motion_video": True, "output_video": True}
    assert (
        posters | {"motion_video": "me/job-1/poster.webp"}
        == (services.fake_repository.documents["job-1"]["posters"])
    )


@pytest.mark.parametrize("told", [{"motion_video": False}, {}])
def test_an_earlier_job_s_file_without_pictures_is_as_playable_as_that_job_says(
    services: FakeServices, seen: list[bytes], told: dict[str, bool]
) -> None:
    path = "me/job-0/motion.mp4"
    earlier = document("me", motion_video_path=path, posters={"motion_video": None}, playable=told)
    services.add("job-0", earlier)
    services.add("job-1", document("me", motion_video_path=path))
    make_posters.receive(upload(services, OUTPUTS, "me/job-1/output.mp4", b"video"), services)
    fields = services.fake_repository.documents["job-1"]
    assert fields["posters"] == {"motion_video": None, "output_video": "me/job-1/poster.webp"}
    assert fields["playable"] == {**told, "output_video": True}


def test_pictures_of_what_was_replaced_while_they_were_made_are_taken_back(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_late(*_: object, **__: bool) -> Posters:
        services.fake_media.objects[VIDEOS]["me/job-1/motion.mp4"].append(b"newer, of which nothing can be made")
        return Posters(b"poster", b"preview")

    monkeypatch.setattr(module, "make", make_late)
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    assert not services.fake_media.objects[VIDEOS]["me/job-1/poster.webp"]
    assert not services.fake_media.objects[VIDEOS]["me/job-1/preview.mp4"]


def test_pictures_of_what_was_replaced_are_taken_back_although_their_run_was_killed_before(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me"))
    event = upload(services, VIDEOS, "me/job-1/motion.mp4", b"video")
    make_posters.receive(event, services)
    # As if the event of this one, of which nothing can be made, was processed before those pictures were there.
    upload(services, VIDEOS, "me/job-1/motion.mp4", b"newer")
    services.fake_repository.documents["job-1"].update(posters={"motion_video": None})
    make_posters.receive(event, services)
    assert not services.fake_media.objects[VIDEOS]["me/job-1/poster.webp"]
    assert not services.fake_media.objects[VIDEOS]["me/job-1/preview.mp4"]
    assert services.fake_repository.documents["job-1"]["posters"] == {"motion_video": None}


def test_what_somebody_else_puts_beside_a_poster_stays_when_its_medium_is_replaced(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.add("job-1", document("me"))
    monkeypatch.setattr(module, "make", lambda *_, **__: Posters(b"poster"))
    event = upload(services, VIDEOS, "me/job-1/motion.mp4", b"video")
    make_posters.receive(event, services)
    services.fake_media.objects[VIDEOS]["me/job-1/preview.mp4"] = [b"theirs"]
    upload(services, VIDEOS, "me/job-1/motion.mp4", b"newer")
    make_posters.receive(event, services)
    assert services.fake_media.objects[VIDEOS]["me/job-1/preview.mp4"] == [b"theirs"]
    assert not services.fake_media.objects[VIDEOS]["me/job-1/poster.webp"]


def test_an_older_event_takes_back_no_picture_that_a_newer_one_has_put_meanwhile(
    services: FakeServices, seen: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    services.add("job-1", document("me"))
    first = upload(services, VIDEOS, "me/job-1/motion.mp4", b"first")
    make_posters.receive(first, services)
    second = upload(services, VIDEOS, "me/job-1/motion.mp4", b"second")
    look, waiting = services.fake_media.describe, [second]

    def meanwhile(bucket: str, name: str, generation: int | None = None) -> Description | None:
        found = look(bucket, name, generation)
        if name.endswith("poster.webp") and waiting:
            make_posters.receive(waiting.pop(), services)
        return found

    monkeypatch.setattr(services.fake_media, "describe", meanwhile)
    make_posters.receive(first, services)
    assert seen == [b"first", b"second"]
    assert len(services.fake_media.objects[VIDEOS]["me/job-1/preview.mp4"]) == 2


def test_a_second_file_without_pictures_leaves_those_that_the_first_one_is_about_to_have(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = services.fake_media
    held.put(VIDEOS, "me/job-1/preview.mp4", b"half", "", metadata={"nuumee-shows": "motion.mov#1"}, replaces=0)
    monkeypatch.setattr(module, "make", refused)
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"broken"), services)
    assert held.objects[VIDEOS]["me/job-1/preview.mp4"] == [b"half"]


@pytest.mark.parametrize("name", ["poster.webp", "preview.mp4"])
def test_what_somebody_else_has_put_in_the_place_of_the_pictures_stays(
    services: FakeServices, seen: list[bytes], name: str
) -> None:
    services.add("job-1", document("me"))
    services.fake_media.objects[VIDEOS][f"me/job-1/{name}"] = [b"theirs"]
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    assert seen == []
    assert services.fake_media.objects[VIDEOS][f"me/job-1/{name}"] == [b"theirs"]


def test_pictures_that_another_event_replaces_meanwhile_are_left_and_looked_at_again(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(*_: object, **__: bool) -> Posters:
        services.fake_media.objects[VIDEOS]["me/job-1/poster.webp"] = [b"another's"]
        return Posters(b"poster", b"preview")

    services.add("job-1", document("me"))
    monkeypatch.setattr(module, "make", make)
    with pytest.raises(ServiceUnavailable):
        make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    assert services.fake_media.objects[VIDEOS]["me/job-1/poster.webp"] == [b"another's"]


def test_a_medium_without_pictures_does_not_keep_those_of_its_predecessor(
    services: FakeServices, seen: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    services.add("job-1", document("me"))
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    monkeypatch.setattr(module, "make", refused)
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"broken"), services)
    fields = services.fake_repository.documents["job-1"]
    assert (fields["posters"], fields["previews"]) == ({"motion_video": None}, {"motion_video": None})
    assert fields["playable"] == {"motion_video": False}
    assert not services.fake_media.objects[VIDEOS]["me/job-1/poster.webp"]
    assert not services.fake_media.objects[VIDEOS]["me/job-1/preview.mp4"]


@pytest.mark.parametrize(
    ("content", "made"),
    [
        (b"\0\0\0\x20ftypisom" + bytes(range(13, 213)), True),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), False),
    ],
)
def test_of_a_large_video_both_ends_are_read_and_of_a_large_picture_nothing(
    services: FakeServices, seen: list[bytes], monkeypatch: pytest.MonkeyPatch, content: bytes, made: bool
) -> None:
    monkeypatch.setattr(module, "WHOLE_UP_TO", 60)
    monkeypatch.setattr(module, "END_READ", 20)
    services.add("job-1", document("me"))
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", content), services)
    assert seen == ([content[:40] + bytes(len(content) - 60) + content[-20:]] if made else [])


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
    ],
)
def test_nothing_is_made_of_other_objects(
    services: FakeServices, seen: list[bytes], bucket: str, name: str
) -> None:
    services.add("job-1", document("me"))
    make_posters.receive(upload(services, bucket, name, b"video"), services)
    assert seen == []


def test_of_a_deleted_jobs_file_nothing_is_made_and_its_event_comes_back_until_the_file_is_gone(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", deleted("me"))
    event = upload(services, IMAGES, "me/job-1/reference.png", b"image")
    with pytest.raises(ServiceUnavailable):
        make_posters.receive(event, services)
    services.fake_media.objects[IMAGES].clear()
    make_posters.receive(event, services)
    assert seen == []


def test_a_file_that_came_while_its_job_was_deleted_has_pictures_once_that_is_taken_back(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me"))
    event = upload(services, VIDEOS, "me/job-1/motion.mp4", b"video")
    services.deletions.mark("me", "job-1", NOW)
    with pytest.raises(ServiceUnavailable):
        make_posters.receive(event, services)
    services.restores.request("me", "job-1", lambda _: NOW + timedelta(days=7), NOW, lambda: None)
    with pytest.raises(ServiceUnavailable):
        make_posters.receive(event, services)
    restored(services)
    make_posters.receive(event, services)
    assert seen == [b"video"]
    assert services.fake_repository.documents["job-1"]["posters"] == {"motion_video": "me/job-1/poster.webp"}


def restored(services: FakeServices) -> None:
    wish = services.restores.of("job-1")
    assert wish is not None
    services.restores.finish(wish, NOW)


def test_a_restored_job_gets_pictures_although_a_stale_copy_has_brought_its_mark_back(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me"))
    services.deletions.mark("me", "job-1", NOW)
    copied = dict(services.fake_repository.documents["job-1"])
    services.restores.request("me", "job-1", lambda _: NOW + timedelta(days=7), NOW, lambda: None)
    restored(services)
    services.fake_repository.documents["job-1"] = copied
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    assert services.fake_repository.documents["job-1"]["posters"] == {"motion_video": "me/job-1/poster.webp"}


def test_a_file_of_a_restored_job_that_other_code_has_deleted_since_gets_no_pictures_and_is_acknowledged(
    services: FakeServices, seen: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job-1", document("me"))
    services.deletions.mark("me", "job-1", NOW)
    services.restores.request("me", "job-1", lambda _: NOW + timedelta(days=7), NOW, lambda: None)
    restored(services)
    services.fake_repository.documents["job-1"]["deleted_at"] = NOW + timedelta(days=7)
    before = dict(services.fake_repository.documents["job-1"])
    with caplog.at_level("INFO", "nuumee"):
        make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    assert [line.getMessage() for line in caplog.records] == ["upload_ignored", "event_done"]
    assert (seen, services.fake_repository.documents["job-1"]) == ([], before)


def test_a_copy_of_a_file_whose_pictures_are_known_does_not_wait_for_the_restore_of_its_job(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me"))
    event = upload(services, VIDEOS, "me/job-1/motion.mp4", b"video")
    make_posters.receive(event, services)
    services.deletions.mark("me", "job-1", NOW)
    services.restores.request("me", "job-1", lambda _: NOW + timedelta(days=7), NOW, lambda: None)
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video"), services)
    assert seen == [b"video", b"video"]


def test_while_a_job_is_restored_the_file_that_it_names_keeps_its_pictures(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me", reference_image_path="me/job-1/reference.jpg"))
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.jpg", b"image"), services)
    services.deletions.mark("me", "job-1", NOW)
    services.restores.request("me", "job-1", lambda _: NOW + timedelta(days=7), NOW, lambda: None)
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.png", b"other"), services)
    assert seen == [b"image"]


def test_pictures_are_made_although_an_earlier_owners_job_with_this_id_was_deleted(
    services: FakeServices, seen: list[bytes]
) -> None:
    services.add("job-1", document("me"))
    services.fake_ledger.entries["job-1"] = entry("somebody-else", state="done")
    make_posters.receive(upload(services, OUTPUTS, "me/job-1/output.mp4", b"video"), services)
    assert seen == [b"video"]


def test_an_event_of_an_output_that_is_not_there_says_nothing_of_the_inputs_either(
    services: FakeServices, seen: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job-1", document("me", motion_video_path="me/job-1/motion.mp4"))
    with caplog.at_level("INFO", "nuumee"):
        make_posters.receive(envelope(*notification("me/job-1/output.mp4", bucket=OUTPUTS)), services)
    assert "posters" not in services.fake_repository.documents["job-1"]
    assert "upload_gone" in [record.getMessage() for record in caplog.records]


def test_an_event_that_is_wrong_about_the_size_does_not_matter(services: FakeServices, seen: list[bytes]) -> None:
    services.add("job-1", document("me"))
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video", size=10**15), services)
    assert seen == [b"video"]


@pytest.mark.parametrize("why", ["hostile", "gone"])
def test_an_original_without_pictures_is_kept(
    services: FakeServices, seen: list[bytes], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def refuse(*_: object, **__: bool) -> Posters:
        raise Unpicturable(Reason.TOO_LARGE, "16,000 by 16,000")

    services.add("job-1", document("me"))
    told = {"generation": 9} if why == "gone" else {}
    if why == "hostile":
        monkeypatch.setattr(module, "make", refuse)
    make_posters.receive(upload(services, VIDEOS, "me/job-1/motion.mp4", b"video", **told), services)
    assert seen == []
    posters = services.fake_repository.documents["job-1"].get("posters")
    assert posters == ({"motion_video": None} if why == "hostile" else None)
    assert list(services.fake_media.objects[VIDEOS]) == ["me/job-1/motion.mp4"]


@pytest.mark.parametrize("is_deployed", [True, False])
def test_only_a_local_decoder_may_lack_its_filter(monkeypatch: pytest.MonkeyPatch, is_deployed: bool) -> None:
    allowed: list[bool] = []

    def make(_: IO[bytes], *, unfiltered_too: bool, **__: bool) -> Posters:
        allowed.append(unfiltered_too)
        return Posters(b"poster")

    monkeypatch.setattr(module, "make", make)
    services = FakeServices()
    services.settings = replace(SETTINGS, is_deployed=is_deployed)
    make_posters.receive(upload(services, IMAGES, "me/job-1/reference.png", b"image"), services)
    assert allowed == [not is_deployed]


@pytest.mark.parametrize("error", [DecoderUnfiltered("there is no filter"), DecoderFailed("no Pillow")])
def test_an_upload_that_cannot_be_decoded_now_comes_back_and_gets_its_pictures_then(
    services: FakeServices, seen: list[bytes], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object, **__: bool) -> Posters:
        raise error

    services.add("job-1", document("me"))
    event = upload(services, IMAGES, "me/job-1/reference.png", b"image")
    with monkeypatch.context() as patched:
        patched.setattr(module, "make", refuse)
        with pytest.raises(ServiceUnavailable):
            make_posters.receive(event, services)
    assert services.fake_repository.documents["job-1"].get("posters") is None
    make_posters.receive(event, services)
    assert services.fake_media.objects[IMAGES]["me/job-1/poster.webp"] == [b"poster"]
