from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from functools import cache
from io import SEEK_SET, BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, BinaryIO

import av
import pytest
from PIL import Image

from infra.stage import ROOT
from shared.posters import clips, ends, file_formats, photos, stills, videos, written
from shared.posters.heif import grid_of
from shared.posters.posters import LARGEST_POSTER, LARGEST_PREVIEW, LARGEST_STORYBOARD, SIDE, Posters, make_posters
from shared.posters.storyboards import COLUMNS, PARTS, SIDE_OF_PART, storyboard
from shared.posters.unpicturable import Reason, Unpicturable
from shared.posters.videos import Shot, Video
from tests.benchmarks.posters import Measured
from tests.decoders import decoded
from tests.hostile_pictures import CORNERS, PICTURES, noise, ring, saved, scene, write_picture
from tests.hostile_videos import (
    BLACK,
    VIDEOS,
    boxed,
    in_parts,
    moving,
    muxed,
    packets,
    repeated,
    video,
    write_video,
)
from tests.large_media import heic, write_large
from tests.profiles import swapped_inks

pytestmark = pytest.mark.slow

MOST_MIB = 320
"""What a function of 512 MiB has left beside the server and the file itself."""
MOST_SECONDS = 12
"""Seconds of CPU, which do not depend on the machine's other work."""

REFUSED = {
    "empty.png": Reason.EMPTY,
    "page.png": Reason.NOT_MEDIA,
    "drawing.png": Reason.NOT_MEDIA,
    "archive.png": Reason.NOT_MEDIA,
    "beginning-only.png": Reason.BROKEN,
    "truncated.jpg": Reason.BROKEN,
    "truncated.png": Reason.BROKEN,
    "truncated.webp": Reason.BROKEN,
    "damaged.png": Reason.BROKEN,
    "bomb-of-bits.png": Reason.TOO_LARGE,
    "bomb-declared.png": Reason.TOO_LARGE,
    "bomb-of-text.png": Reason.BROKEN,
    "bomb-declared.webp": Reason.BROKEN,
    "bomb-within-limits.webp": Reason.BROKEN,
    "bomb-of-canvas.webp": Reason.BROKEN,
    "bomb-declared.gif": Reason.TOO_LARGE,
    "bomb-declared.jpg": Reason.TOO_LARGE,
    "bomb-progressive.jpg": Reason.TOO_LARGE,
    "hundreds-of-streams.mp4": Reason.TOO_LARGE,
    "thousands-of-streams.mp4": Reason.TOO_LARGE,
    "truncated-before-index.mp4": Reason.BROKEN,
    "sound-only.mp4": Reason.NO_PICTURE,
    "dolby-vision-5.mp4": Reason.NO_PICTURE,
    "huge.mp4": Reason.TOO_LARGE,
    "endless-table.mp4": Reason.NO_PICTURE,
    "nested-boxes.mp4": Reason.BROKEN,
    "garbage.mp4": Reason.BROKEN,
    "garbage.webm": Reason.BROKEN,
    "beginning-only.mp4": Reason.BROKEN,
    "empty.mp4": Reason.EMPTY,
    "playlist.mp4": Reason.NOT_MEDIA,
    "script.mp4": Reason.NOT_MEDIA,
}
OF_NO_SCENE = {"single-dot.png", "thread.png", "grey-16-bit.png", "noise.png", "transparent-noise.png"} | {
    *("dithered.png", "dots-of-noise.png"),
    *("checks-of-bits.png", "checks-of-palette.png", "noise.mp4", "black.mp4", "black-for-four-seconds.mp4"),
    "recorded-with-an-impossible-time.webm",
}
DEMO = sorted((ROOT / "infra/local/media").iterdir())


@cache
def taken(name: str) -> Measured:
    """The outcome of a hostile or large file, and its cost. Each file is decoded once for all tests."""
    with TemporaryDirectory() as folder:
        write = write_picture if name in PICTURES else write_video if name in VIDEOS else write_large
        return decoded(write(name, Path(folder)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    path.write_bytes(repeated(40, Fraction(1, 30), moving(640, 480, 10)))
    return path


def made(name: str) -> Posters:
    """The posters of a file. Fails if they took too much memory or CPU."""
    outcome = taken(name).outcome
    assert isinstance(outcome, Posters), taken(name)
    assert taken(name).peak_mib < MOST_MIB, taken(name)
    assert taken(name).cpu_seconds < MOST_SECONDS, taken(name)
    return outcome


def opened(poster: bytes) -> Image.Image:
    """The poster as an image. Fails if it breaks a rule for all posters."""
    assert len(poster) <= LARGEST_POSTER < 15_000
    image = Image.open(BytesIO(poster))
    assert (image.format, image.size) == ("WEBP", (SIDE, SIDE))
    assert not image.getexif()
    return image


def assert_shows_scene(image: Image.Image) -> None:
    places = [(SIDE * x // 4, SIDE * y // 4) for y in (1, 3) for x in (1, 3)]
    for place, (name, colour) in zip(places, CORNERS.items(), strict=True):
        pixel = image.getpixel(place)
        assert isinstance(pixel, tuple)
        assert all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True)), (name, place, pixel)


def pictures_of(preview: bytes | None) -> list[av.VideoFrame]:
    """The pictures of a preview. Fails if it breaks a rule for all previews."""
    assert preview
    assert len(preview) < LARGEST_PREVIEW
    assert preview.index(b"moov") < preview.index(b"mdat")
    with av.open(BytesIO(preview), "r") as container:
        assert [stream.type for stream in container.streams] == ["video"]
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.width, context.height) == ("h264", "yuv420p", SIDE, SIDE)
        frames = list(container.decode(video=0))
    assert frames[-1].time < 3
    return frames


@pytest.mark.parametrize("name", [name for name in PICTURES if name not in REFUSED])
def test_a_picture_gets_its_middle_upright_as_a_poster(name: str) -> None:
    posters = made(name)
    assert posters.preview is None
    if name in OF_NO_SCENE:
        opened(posters.poster)
    else:
        assert_shows_scene(opened(posters.poster).convert("RGB"))


@pytest.mark.parametrize("name", [name for name in VIDEOS if name not in REFUSED])
def test_a_video_gets_a_poster_and_a_preview_of_its_beginning(name: str) -> None:
    posters = made(name)
    if name in OF_NO_SCENE:
        opened(posters.poster)
    else:
        assert_shows_scene(opened(posters.poster).convert("RGB"))
    if name != "one-picture.mp4":
        assert 2 < len(pictures_of(posters.preview)) <= 93
    else:
        assert posters.preview is None


@pytest.mark.parametrize("name", ["8k.mp4", "5.3k-by-4.6k.mp4"])
def test_the_largest_videos_of_phones_and_cameras_get_a_poster_and_a_preview(name: str) -> None:
    posters = made(name)
    assert_shows_scene(opened(posters.poster).convert("RGB"))
    assert pictures_of(posters.preview)


@pytest.mark.parametrize("name", ["24-megapixels.avif", "48-megapixels.avif"])
def test_an_avif_may_be_as_large_as_phones_take_pictures(name: str) -> None:
    posters = made(name)
    assert_shows_scene(opened(posters.poster).convert("RGB"))
    assert posters.plays_everywhere
    assert posters.view is None


def test_a_large_avif_of_which_the_transparency_would_be_lost_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_formats, "MOST_AVIF_PIXELS", 1)
    opaque, transparent = (BytesIO(saved(ring(mode), format="AVIF")) for mode in ("RGB", "RGBA"))
    assert photos.make(opaque).poster
    with pytest.raises(Unpicturable) as caught:
        photos.make(transparent)
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_do_harm_is_refused_with_the_reason(name: str) -> None:
    # A C library that gets no memory may crash before it can say so.
    crashed = {Reason.CRASHED} if REFUSED[name] is Reason.TOO_LARGE else set()
    assert taken(name).outcome in {REFUSED[name], *crashed}, taken(name)
    assert taken(name).peak_mib < MOST_MIB, taken(name)
    assert taken(name).cpu_seconds < MOST_SECONDS, taken(name)


@pytest.mark.parametrize("path", DEMO, ids=[path.name for path in DEMO])
def test_the_demo_s_media_all_get_posters(path: Path) -> None:
    posters = decoded(path).outcome
    assert isinstance(posters, Posters)
    opened(posters.poster)
    if path.suffix == ".mp4":
        assert len(pictures_of(posters.preview)) == 72
    else:
        assert posters.preview is None


@pytest.mark.parametrize(
    ("matrix", "stored"),
    [
        ((-1, 0, 0, 1), Image.Transpose.FLIP_LEFT_RIGHT),
        ((1, 0, 0, -1), Image.Transpose.FLIP_TOP_BOTTOM),
        ((0, 1, 1, 0), Image.Transpose.TRANSPOSE),
        ((0, -1, -1, 0), Image.Transpose.TRANSVERSE),
        ((0, 0, 0, 0), None),
    ],
)
def test_a_mirrored_video_is_shown_as_its_matrix_says(
    matrix: tuple[int, int, int, int], stored: Image.Transpose | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    upright = scene(320, 240)
    content = bytearray(video([upright.transpose(stored) if stored is not None else upright] * 2))
    a, b, c, d = (one << 16 for one in matrix)
    start = content.index(b"tkhd") + 4 + 40
    content[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    assert_shows_scene(opened(clips.make(BytesIO(content)).poster).convert("RGB"))


def test_a_picture_in_inks_is_converted_with_the_profile_of_its_inks() -> None:
    """Within what Chromium shows of it, as far as so coarse a profile is interpolated alike."""
    content = saved(scene(576, 576, "CMYK"), format="JPEG", icc_profile=swapped_inks(), quality=95)
    poster = opened(stills.make(BytesIO(content)).poster).convert("RGB")
    swapped = {"red": (93, 54, 219), "green": (90, 160, 62), "blue": (227, 69, 46), "white": (250, 245, 244)}
    for (x, y), (name, colour) in zip(((72, 72), (216, 72), (72, 216), (216, 216)), swapped.items(), strict=True):
        seen = poster.crop((x, y, x + 1, y + 1)).tobytes()
        assert all(abs(a - b) <= 16 for a, b in zip(seen, colour, strict=True)), (name, tuple(seen))


def test_a_profile_that_cannot_be_used_is_ignored() -> None:
    for profile in (b"no profile", swapped_inks()):
        content = saved(scene(576, 576), format="JPEG", icc_profile=profile)
        assert_shows_scene(opened(stills.make(BytesIO(content)).poster).convert("RGB"))


@pytest.mark.parametrize("turns", [0, 1])
def test_a_grid_of_tiles_is_put_together_and_turned_upright(turns: int) -> None:
    upright = scene(320, 240)
    stored = upright.transpose(Image.Transpose.ROTATE_270) if turns else upright
    posters = photos.make(BytesIO(heic(stored, 64, turns)))
    assert_shows_scene(opened(posters.poster).convert("RGB"))
    assert posters.view
    view = Image.open(BytesIO(posters.view)).convert("RGB")
    assert view.size == (320, 240)
    assert_shows_scene(view.resize((SIDE, SIDE)))


def test_a_grid_whose_index_alone_tells_of_full_range_looks_as_if_its_tiles_told_it() -> None:
    told = b"nclx" + struct.pack(">HHHB", 2, 2, 2, 0x80)
    by_index, by_tiles, limited = (
        photos.make(BytesIO(heic(scene(128, 128), 64, **how)))
        for how in ({"colour": told}, {"tags": "range=full"}, {})
    )
    assert by_index.view == by_tiles.view
    assert by_index.view != limited.view


def test_a_damaged_item_beside_the_picture_does_not_matter() -> None:
    properties = boxed(b"ipco", boxed(b"ispe", bytes(4) + struct.pack(">II", 64, 48)))
    # The picture has the first property. The other item names one that is not there.
    properties += boxed(b"ipma", bytes(4) + struct.pack(">IHBBHBB", 2, 1, 1, 1, 2, 1, 9))
    others = boxed(b"iref", bytes(4) + boxed(b"auxl", struct.pack(">HHH", 2, 1, 1)))
    main = boxed(b"pitm", bytes(4) + struct.pack(">H", 1))
    index = boxed(b"meta", bytes(4) + main + boxed(b"iprp", properties) + others)
    grid = grid_of(BytesIO(boxed(b"ftyp", b"heic" + bytes(4)) + index))
    assert (grid.tiles, grid.width, grid.height) == ((1,), 64, 48)


@pytest.mark.parametrize("start", range(40, 700, 37))
def test_no_damage_to_a_grid_s_index_is_more_than_an_error(start: int) -> None:
    """Errors of any kind are told as `broken`; nothing else may come of it, such as a loop without end."""
    content = bytearray(heic(scene(128, 64), 64))
    content[start : start + 4] = b"\xff\xff\xff\xff"
    with suppress(Exception):
        photos.make(BytesIO(content))


def test_a_picture_larger_than_any_camera_s_is_refused_however_small_its_tiles() -> None:
    content = bytearray(heic(scene(128, 64), 64))
    layout = content.index(b"idat") + 8
    content[layout : layout + 4] = struct.pack(">HH", 60_000, 60_000)
    with pytest.raises(Unpicturable) as caught:
        photos.make(BytesIO(content))
    assert caught.value.reason is Reason.TOO_LARGE


def test_what_is_transparent_stays_so() -> None:
    for name in ("transparent.png", "transparent-palette.png"):
        pixel = opened(made(name).poster).getpixel((2, 2))
        assert isinstance(pixel, tuple)
        assert pixel[3] == 0


@pytest.mark.parametrize("lossless", [True, False])
def test_what_is_transparent_in_a_large_webp_stays_so(lossless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_formats, "MOST_WEBP_PIXELS", 1)
    poster = opened(photos.make(BytesIO(saved(ring("RGBA"), format="WEBP", lossless=lossless))).poster)
    assert poster.getchannel("A").getpixel((2, 2)) == 0
    assert_shows_ring(poster)


def assert_shows_ring(poster: Image.Image) -> None:
    """The scene that the ring surrounds, and that nothing of it is transparent."""
    inner = poster.crop((SIDE // 6, SIDE // 6, SIDE * 5 // 6, SIDE * 5 // 6))
    assert inner.crop((8, 8, 184, 184)).getchannel("A").getextrema() == (255, 255)
    assert_shows_scene(inner.convert("RGB").resize((SIDE, SIDE)))


def test_a_middle_shade_of_sixteen_bits_is_a_middle_shade() -> None:
    poster = opened(made("grey-16-bit.png").poster)
    assert poster.getpixel((100, 100)) == (128, 128, 128)


@pytest.mark.parametrize(("mode", "key"), [("RGB", (0, 0, 0)), ("L", 0)])
def test_a_colour_that_stands_for_transparency_is_not_shown(mode: str, key: object) -> None:
    poster = opened(stills.make(BytesIO(saved(ring(mode), format="PNG", transparency=key))).poster)
    assert poster.getchannel("A").getextrema() == (0, 255)
    assert poster.getchannel("A").getpixel((2, 2)) == 0
    assert poster.getchannel("A").getpixel((SIDE // 2, SIDE // 2)) == 255


@pytest.mark.parametrize("name", ["checks-of-bits.png", "checks-of-palette.png"])
def test_dots_of_few_colours_are_mixed_and_not_picked(name: str) -> None:
    poster = opened(made(name).poster)
    assert poster.convert("L").getpixel((100, 100)) == pytest.approx(128, abs=20)


def test_a_preview_shows_the_middle_also_after_the_pictures_change_their_size() -> None:
    last = pictures_of(made("changing.webm").preview)[-1]
    assert_shows_scene(last.to_image())


def test_a_preview_has_key_pictures_only_where_it_needs_them() -> None:
    frames = pictures_of(made("key-pictures-only.mp4").preview)
    assert sum(frame.key_frame for frame in frames) == 1


def test_a_preview_begins_where_the_video_does() -> None:
    first = pictures_of(made("black-at-first.mp4").preview)[0]
    assert first.to_image().convert("L").getextrema()[1] < 20


def test_a_poster_shows_what_comes_after_the_black() -> None:
    poster = opened(made("black-for-four-seconds.mp4").poster)
    assert max(poster.convert("L").tobytes()) > 200


def test_a_video_that_does_not_say_how_long_it_is_has_a_storyboard_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    sheet = clips.make(BytesIO(VIDEOS["recorded.webm"]()), is_output=True).storyboard
    assert sheet
    shown = Image.open(BytesIO(sheet)).convert("L").reduce(SIDE_OF_PART)
    assert [shade > 40 for shade in shown.tobytes()] == [False] * 8 + [True] * 8


def test_so_has_one_of_which_the_preview_shows_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    pictures = [*[BLACK] * 38, *moving(320, 240, 2)]  # in which later places are looked at for a poster
    stream, made = packets(pictures, codec="libvpx", rate=20, deadline="realtime")
    assert clips.make(BytesIO(muxed(stream, made, kind="webm", live="1")), is_output=True).storyboard


def cut(monkeypatch: pytest.MonkeyPatch, video: BinaryIO, missing: int) -> None:
    """Let the file count as one of which these bytes before its index were not read."""
    video.seek(0)
    content = video.read()
    index = len(content) - content.rindex(b"moov") + 4
    monkeypatch.setattr(ends, "WHOLE_UP_TO", len(content) - missing)
    monkeypatch.setattr(ends, "END_READ", index)


def test_the_hole_in_a_large_video_is_not_searched_for_a_poster(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []

    def later(video: object) -> list[Shot]:
        looked.append(video)
        return []

    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    monkeypatch.setattr(clips, "_later", later)
    whole = VIDEOS["black.mp4"]()
    index = whole.rindex(b"moov") - 4
    black = BytesIO(whole[:index] + boxed(b"free", bytes(200_000)) + whole[index:])
    clips.make(black)
    assert len(looked) == 1
    cut(monkeypatch, black, 100_000)
    black.seek(0)
    opened(clips.make(black).poster)
    assert len(looked) == 1


def test_a_preview_of_a_large_video_ends_where_the_hole_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What FFmpeg would make of zeros is smeared over the picture before."""
    content = video((noise(64, 64) for _ in range(60)), crf="18")
    missing = len(content) // 2
    index = content.rindex(b"moov") - 4
    read = content[: index - missing] + bytes(missing) + content[index:]
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    whole = pictures_of(clips.make(BytesIO(content)).preview)
    cut(monkeypatch, BytesIO(read), missing)
    part = pictures_of(clips.make(BytesIO(read)).preview)
    assert 20 < len(part) < 31 < len(whole) == 60


def test_so_does_a_large_gif_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    first, *others = (noise(64, 64) for _ in range(20))
    content = saved(first, format="GIF", save_all=True, append_images=others, duration=100)
    monkeypatch.setattr(ends, "WHOLE_UP_TO", len(content) * 3 // 4)
    monkeypatch.setattr(ends, "END_READ", len(content) // 4)
    middle = len(content) // 2
    read = content[:middle] + bytes(len(content) * 3 // 4 - middle) + content[len(content) * 3 // 4 :]
    assert 8 <= len(pictures_of(clips.make(BytesIO(read)).preview)) <= 10


def test_a_preview_keeps_the_pace_and_drops_what_no_eye_misses() -> None:
    frames = pictures_of(made("fast.mp4").preview)
    assert len(frames) == pytest.approx(2 * 30, abs=2)
    assert frames[-1].time == pytest.approx(2, abs=0.1)


def shown_for(preview: bytes | None) -> float:
    """Seconds."""
    with av.open(BytesIO(preview or b""), "r") as container:
        track = container.streams.video[0]
        return float((track.duration or 0) * (track.time_base or 0))


@pytest.mark.parametrize("times", [(0, 33, 9000), (0, 33, 66, 100, 133, 9000), (0, 33, 66, 2900, 9000)])
def test_a_preview_shows_its_last_picture_as_long_as_the_video_does(
    times: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As screens are recorded, where nothing moves no picture comes. The times are in milliseconds."""
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    stream, recorded = packets(moving(320, 240, len(times)), bf="0")
    for packet, at in zip(recorded, times, strict=True):
        packet.pts = packet.dts = at
    preview = clips.make(BytesIO(muxed(stream, recorded))).preview
    assert [frame.time for frame in pictures_of(preview)] == pytest.approx([at / 1000 for at in times[:-1]])
    assert shown_for(preview) == pytest.approx(3)


@pytest.mark.parametrize(("count", "shown", "seconds"), [(2, 1500, 3), (5, 300, 1.5), (1, 1500, 1.5), (9, 800, 3)])
def test_a_preview_of_a_gif_shows_its_last_picture_as_long_as_the_others(
    count: int, shown: int, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    first, *others = moving(320, 240, count)
    content = saved(first, format="GIF", save_all=True, append_images=others, duration=shown)
    assert shown_for(clips.make(BytesIO(content)).preview) == pytest.approx(seconds)


def limit_to_key_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all pictures take too much memory."""
    beginning = Video.beginning

    def limited(video: Video) -> tuple[list[Shot], float]:
        if video._decoder.skip_frame != "NONKEY":
            raise MemoryError
        return beginning(video)

    monkeypatch.setattr(Video, "beginning", limited)


def test_if_all_pictures_take_too_much_memory_key_pictures_must_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    limit_to_key_pictures(monkeypatch)
    posters = clips.make(BytesIO(video(moving(320, 240, 40), g="10")))
    assert_shows_scene(opened(posters.poster).convert("RGB"))
    assert [round(30 * (frame.time or 0)) for frame in pictures_of(posters.preview)] == [0, 10, 20, 30]


def test_also_where_an_edit_list_begins_after_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    limit_to_key_pictures(monkeypatch)
    content = bytearray(video(moving(320, 240, 40)))
    scale = struct.unpack_from(">I", content, content.index(b"mdhd") + 16)[0]
    struct.pack_into(">I", content, content.index(b"elst") + 16, scale // 10)
    posters = clips.make(BytesIO(content), is_output=True)
    assert_shows_scene(opened(posters.poster).convert("RGB"))
    assert posters.share_picture


def test_what_an_edit_list_cuts_off_is_not_shown_where_key_pictures_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    limit_to_key_pictures(monkeypatch)
    content = bytearray(video([*[BLACK] * 10, *moving(320, 240, 80)], g="30"))
    scale = struct.unpack_from(">I", content, content.index(b"mdhd") + 16)[0]
    struct.pack_into(">I", content, content.index(b"elst") + 16, scale // 3)
    first = pictures_of(clips.make(BytesIO(content)).preview)[0]
    assert first.to_image().convert("L").getextrema()[1] > 100


class _Disk(BytesIO):
    """A file that goes to no impossible place."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if whence == SEEK_SET and offset > 2**30:
            raise OSError(errno.EINVAL, "Invalid argument")
        return super().seek(offset, whence)


@pytest.mark.parametrize(("field", "value"), [(12, 2**31), (12, 2**31 - 1), (24, 2**31 - 1)])
def test_what_comes_before_damage_to_the_index_of_a_late_part_gets_all_pictures(
    field: int, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fields of the last part's index: its place, which the disk may refuse, and a picture's size."""
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    content = bytearray(in_parts(moving(320, 240, 60), g="10"))
    struct.pack_into(">I", content, content.rindex(b"trun") + field, value)
    posters = clips.make(_Disk(content), is_output=True)
    assert 50 <= len(pictures_of(posters.preview)) < 60
    assert posters.storyboard
    assert posters.share_picture


def test_if_the_demuxer_finds_no_memory_key_pictures_must_do_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    monkeypatch.setattr(videos, "WHOLE_UP_TO", sys.maxsize)  # that is not to be had
    content = bytearray(in_parts(moving(320, 240, 60), g="10"))
    struct.pack_into(">I", content, content.rindex(b"trun") + 24, 2**31 - 1)
    posters = clips.make(BytesIO(content))
    assert [round(30 * (frame.time or 0)) for frame in pictures_of(posters.preview)] == [0, 10, 20, 30, 40]


def test_a_single_picture_is_also_a_preview_where_browsers_do_not_play_the_video(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)
    posters = clips.make(BytesIO(video([scene(320, 240)], codec="mpeg4")))
    assert not posters.plays_everywhere
    (picture,) = pictures_of(posters.preview)
    assert_shows_scene(picture.to_image())


def test_five_seconds_of_720p_take_less_than_three() -> None:
    assert taken("clip-720p.mp4").cpu_seconds < 3


def test_a_second_of_a_thousand_pictures_is_not_decoded_whole() -> None:
    assert taken("crowded.mp4").cpu_seconds < 3


def test_a_video_that_takes_long_to_decode_gets_a_shorter_preview(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = iter(range(100))
    monkeypatch.setattr(time, "process_time", lambda: next(spent))
    with clip.open("rb") as file:
        assert 2 < len(pictures_of(clips.make(file).preview)) <= 12


def test_a_video_is_decoded_and_encoded_by_one_thread(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    counted, made_it = [len(os.listdir("/proc/self/task"))], threading.Event()

    def count() -> None:
        while not made_it.is_set():
            counted.append(len(os.listdir("/proc/self/task")))

    with ThreadPoolExecutor() as threads:
        threads.submit(count)
        try:
            with clip.open("rb") as file:
                clips.make(file)
        finally:
            made_it.set()
    assert max(counted) == counted[0] + 1


def test_the_same_file_gives_the_same_bytes() -> None:
    with DEMO[0].open("rb") as file:
        first, second = (
            make_posters(file, is_for_video=False, is_output=False, unfiltered_too=True) for _ in range(2)
        )
    assert first == second


def test_a_storyboard_shows_the_course_of_the_whole_video() -> None:
    """Each second of eight has a brightness of its own."""
    shades = [Image.new("RGB", (64, 64), (30 * number,) * 3) for number in range(8)]
    content = video((shades[number // 10] for number in range(80)), rate=10)
    with TemporaryFile() as file:
        file.write(content)
        posters = make_posters(file, is_for_video=False, is_output=True, unfiltered_too=True)
    assert posters.storyboard
    assert len(posters.storyboard) <= LARGEST_STORYBOARD
    assert posters.share_picture
    with Image.open(BytesIO(posters.share_picture.content)) as shared:
        assert shared.size == posters.share_picture.size == (64, 64)
    sheet = Image.open(BytesIO(posters.storyboard)).convert("L")
    assert sheet.size == (COLUMNS * SIDE_OF_PART, COLUMNS * SIDE_OF_PART)
    for place in range(PARTS):
        row, column = divmod(place, COLUMNS)
        part = sheet.crop((column * 144 + 70, row * 144 + 70, column * 144 + 71, row * 144 + 71))
        assert part.tobytes()[0] == pytest.approx(30 * (place // 2), abs=8)


def test_all_parts_of_a_storyboard_that_show_one_picture_have_its_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    tags: dict[str, Any] = {"x264-params": "colormatrix=bt709"}
    content = video([scene(480, 360)] * 6, rate=2, **tags)
    posters = clips.make(BytesIO(content), is_output=True)
    wanted = opened(posters.poster).convert("RGB").reduce(SIDE // 2).tobytes()
    sheet = Image.open(BytesIO(posters.storyboard or b"")).convert("RGB")
    for place in range(PARTS):
        row, column = divmod(place, COLUMNS)
        box = (column * SIDE_OF_PART, row * SIDE_OF_PART, (column + 1) * SIDE_OF_PART, (row + 1) * SIDE_OF_PART)
        quarters = sheet.crop(box).reduce(SIDE_OF_PART // 2).tobytes()
        assert all(abs(a - b) <= 3 for a, b in zip(quarters, wanted, strict=True)), (place, quarters, wanted)


def test_a_video_that_ends_before_its_sound_has_a_storyboard_that_ends_with_its_last_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    assert clips.make(BytesIO(video(moving(64, 64, 24), rate=24)), is_output=True).storyboard
    shades = [Image.new("RGB", (64, 64), (8 * number,) * 3) for number in range(24)]
    content = video(shades, rate=16, sound=True)  # which takes two seconds
    sheet = Image.open(BytesIO(clips.make(BytesIO(content), is_output=True).storyboard or b"")).convert("L")
    last_row = [sheet.crop((x, 504, x + 1, 505)).tobytes()[0] for x in (72, 216, 360, 504)]
    assert last_row == pytest.approx([8 * 23] * 4, abs=8)


def test_a_storyboard_shows_a_picture_as_long_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    stream, (red, green) = packets([Image.new("RGB", (64, 64), colour) for colour in ("red", "green")])
    green.pts = green.dts = 6000  # milliseconds
    content = muxed(stream, [red, green])
    sheet = Image.open(BytesIO(clips.make(BytesIO(content), is_output=True).storyboard or b"")).convert("RGB")
    assert min(sheet.getchannel("R").tobytes()) > 200
    assert max(sheet.getchannel("G").tobytes()) < 50


def test_a_video_that_ends_long_before_its_sound_has_no_storyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)
    content = video(moving(64, 64, 20), sound=True)
    assert clips.make(BytesIO(content), is_output=True).storyboard is None


def test_a_long_video_s_storyboard_has_key_pictures_and_takes_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    content = repeated(600, Fraction(1))
    began = time.thread_time()
    assert clips.make(BytesIO(content), is_output=True).storyboard
    assert time.thread_time() - began < 5


def test_a_fast_video_of_less_than_a_minute_has_a_storyboard_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)
    content = repeated(3300, Fraction(1, 60), moving(64, 64, 10))
    assert clips.make(BytesIO(content), is_output=True).storyboard


def test_a_view_that_nothing_makes_small_enough_costs_no_poster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "LARGEST_VIEW", 1)
    posters = photos.make(BytesIO(heic(scene(128, 64), 64)))
    assert posters.view is None
    assert_shows_scene(opened(posters.poster).convert("RGB"))


def test_noise_s_storyboard_is_small_enough_all_the_same() -> None:
    assert len(storyboard([noise(SIDE_OF_PART, SIDE_OF_PART)] * PARTS)) <= LARGEST_STORYBOARD


def test_asking_for_no_poster_costs_no_decoder() -> None:
    code = "import sys, shared.posters.posters; print([name for name in ('av', 'PIL') if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
