"""The picture of an output for chats, made in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from shared.posters import clips, written
from shared.posters.posters import SIDE, Posters
from shared.posters.unpicturable import Reason, Unpicturable
from shared.posters.videos import Video
from tests.hostile_pictures import CORNERS, noise, scene
from tests.hostile_videos import VIDEOS, video

pytestmark = pytest.mark.slow

MEDIA = Path(__file__).parent / "media"


@pytest.fixture(autouse=True)
def _unspent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may


def made(content: bytes) -> Posters:
    return clips.make(BytesIO(content), is_output=True)


def shared(posters: Posters) -> Image.Image:
    """The picture. Fails if it breaks a rule for all of them."""
    picture = posters.share_picture
    assert picture
    assert len(picture.content) < 200_000
    image = Image.open(BytesIO(picture.content))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", picture.size)
    return image


@pytest.mark.parametrize(
    ("stored", "size"),
    [
        ((1280, 720), (1200, 675)),
        ((720, 1280), (675, 1200)),
        ((480, 854), (480, 854)),
        ((1500, 1500), (1200, 1200)),
        ((1920, 64), (1200, 40)),
    ],
)
def test_it_shows_the_whole_picture_in_its_proportions_and_is_never_enlarged(
    stored: tuple[int, int], size: tuple[int, int]
) -> None:
    image = shared(made(video([scene(*stored)] * 2)))
    assert image.size == size
    for place, colour in enumerate(CORNERS.values()):
        at = (size[0] * (1 + 14 * (place % 2)) // 16, size[1] * (1 + 14 * (place // 2)) // 16)
        assert_colour(image, at, colour)


@pytest.mark.parametrize("name", ["held-1.mp4", "held-2.mp4"])
def test_a_video_from_a_rotated_phone_is_upright(name: str) -> None:
    image = shared(made(VIDEOS[name]()))
    assert image.size == (320, 240)
    for place, colour in enumerate(CORNERS.values()):
        assert_colour(image, (80 + 160 * (place % 2), 20 + 200 * (place // 2)), colour)


def assert_colour(image: Image.Image, at: tuple[int, int], wanted: Sequence[int]) -> None:
    seen = image.getpixel(at)
    assert isinstance(seen, tuple)
    assert all(abs(a - b) < 40 for a, b in zip(seen, wanted, strict=True)), (at, seen, wanted)


def test_dots_that_are_not_square_are_stretched_as_players_do() -> None:
    assert shared(made((MEDIA / "anamorphic-portrait.mov").read_bytes())).size == (960, 720)


def test_even_noise_is_small_enough() -> None:
    shared(made(video([noise(1200, 1200)], crf="18")))


@pytest.mark.parametrize(
    "content",
    [
        *(VIDEOS[name] for name in ("black-at-first.mp4", "black-for-long.mp4", "changing.webm")),
        *((MEDIA / name).read_bytes for name in ("iphone-hlg.MOV", "vp9-alpha.webm", "xvid.avi")),
    ],
)
def test_its_middle_is_the_poster(content: Callable[[], bytes]) -> None:
    posters = made(content())
    middle = ImageOps.fit(shared(posters), (SIDE, SIDE), Image.Resampling.LANCZOS)
    poster = Image.open(BytesIO(posters.poster)).convert("RGB")
    difference = ImageStat.Stat(ImageChops.difference(middle, poster)).mean
    assert max(difference) < 8, difference


def test_a_video_that_cannot_be_decoded_twice_has_all_pictures_but_this() -> None:
    posters = made((MEDIA / "camera.MTS").read_bytes())
    assert posters.poster
    assert posters.preview
    assert posters.share_picture is None


@pytest.mark.parametrize("part", ["whole", "course"])
def test_if_memory_does_not_suffice_for_what_outputs_get_there_is_all_else(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Video, part, refuse)
    posters = made(video([scene(320, 240)] * 40))
    assert posters.poster
    assert posters.preview
    assert (posters.share_picture is None) == (part == "whole")
    assert (posters.storyboard is None) == (part == "course")


@pytest.mark.parametrize("error", [MemoryError(), Unpicturable(Reason.TOO_LARGE)])
@pytest.mark.parametrize("lost", ["preview", "storyboard", "share_picture"])
def test_what_cannot_be_written_is_lost_alone(
    lost: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(written if lost == "share_picture" else clips, lost, refuse)
    posters = made(video([scene(320, 240)] * 40))
    assert posters.poster
    kinds = ("preview", "storyboard", "share_picture")
    assert [kind for kind in kinds if getattr(posters, kind) is None] == [lost]


def test_a_video_that_takes_long_to_decode_has_all_pictures_but_this(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = iter(range(100))
    monkeypatch.setattr(time, "process_time", lambda: next(spent))
    posters = made(video([scene(320, 240)] * 30))
    assert posters.poster
    assert posters.share_picture is None


def test_an_input_gets_none() -> None:
    assert clips.make(BytesIO(video([scene(320, 240)] * 2))).share_picture is None
