"""Ordinary files, as people upload them: a tile looks like what opens when it is clicked, in a browser.

All show one scene: a person in a red shirt, a column of coloured squares at the right, grass below.
"""

from __future__ import annotations

import re
import struct
import time
import zlib
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from PIL import ExifTags, Image, ImageOps

from infra.stage import ROOT
from shared.posters import clips, file_formats, photos, stills, tracks
from shared.posters.colours import HLG, Tags
from shared.posters.file_formats import MediaFormat
from shared.posters.posters import LARGEST_POSTER, LARGEST_PREVIEW, LARGEST_VIEW, SIDE, TILE_COLOUR, Posters
from shared.posters.unpicturable import Reason
from tests.decoders import decoded
from tests.hostile_pictures import CORNERS, saved
from tests.hostile_videos import moving, muxed, packets, video
from tests.large_media import heic

pytestmark = pytest.mark.slow

MEDIA = Path(__file__).parent / "media"
POINTS = {"shirt": (144, 200), "white": (224, 190), "red": (224, 94), "green": (224, 126), "blue": (224, 158)} | {
    "grass": (144, 272)
}
PICTURE = {"shirt": (200, 30, 40), "white": (240, 240, 240), "red": (220, 30, 30), "green": (30, 160, 30)} | {
    "blue": (30, 30, 220),
    "grass": (70, 130, 60),
}
VIDEO = {"shirt": (196, 26, 36), "white": (239, 239, 239), "red": (216, 27, 27), "green": (25, 156, 23)} | {
    "blue": (27, 26, 215),
    "grass": (65, 127, 56),
}
PICTURES = (
    *(
        "xmp-says-turned.jpg",
        "exif-2.jpg",
        "icc-p3.jpg",
        "icc-prophoto.jpg",
        "jpg-no-eoi.jpg",
        "jpg-100-short.jpg",
    ),
    *("png-bad-crc-of-text.png", "comfy-ztxt-1mb.png", "fades-in-from-white.webp", "picture.avif", "iphone.heic"),
)
VIDEOS = (
    *("mirrored-selfie.mov", "flipped-vertically.mov", "anamorphic-portrait.mov", "pnot-first.mov"),
    *("matrix-8.mp4", "matrix-14.mp4", "disabled-track-first.mov", "mjpeg-proxy-first.mov", "cover-first.mp4"),
    *("fade-in.mp4", "black-5s.mp4", "one-frame.mp4", "opencv-mp4v.mp4", "xvid.avi", "theora.ogv"),
)
HDR = ("iphone-hlg.MOV", "hdr10-pq.mp4")
OTHERS = ("untagged-hd-709.mp4", "camera.MTS", "motion.gif", "vp9-alpha.webm", "audio-only.mp4")
NOT_EVERYWHERE = {*HDR, "iphone.heic", "opencv-mp4v.mp4", "xvid.avi", "theora.ogv", "camera.MTS", "motion.gif"}


@cache
def outcome_of(name: str) -> Posters | Reason:
    return decoded(MEDIA / name, is_for_video=name not in PICTURES).outcome


def made(name: str) -> Posters:
    outcome = outcome_of(name)
    assert isinstance(outcome, Posters), outcome
    assert len(outcome.poster) <= LARGEST_POSTER
    return outcome


def colours(name: str) -> dict[str, tuple[int, ...]]:
    return points(made(name))


def points(posters: Posters) -> dict[str, tuple[int, ...]]:
    """The colours of the poster at the scene's points."""
    image = Image.open(BytesIO(posters.poster)).convert("RGB")
    assert image.size == (SIDE, SIDE)
    return {point: tuple(image.crop((x, y, x + 1, y + 1)).tobytes()) for point, (x, y) in POINTS.items()}


def assert_close(seen: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int, int, int]], within: int) -> None:
    for point, colour in wanted.items():
        assert all(abs(a - b) <= within for a, b in zip(seen[point], colour, strict=True)), (point, seen)


KINDS = {
    "dnxhd.mov": ("dnxhd", "mov", "yuv422p", (1280, 720), {"profile": "dnxhr_lb"}),
    "animation.mov": ("qtrle", "mov", "rgb24", (320, 240), {}),
    "prores.mov": ("prores", "mov", "yuv422p10le", (320, 240), {}),
    "mjpeg.avi": ("mjpeg", "avi", "yuvj420p", (320, 240), {}),
    "ffv1.mkv": ("ffv1", "matroska", "yuv420p", (320, 240), {}),
    "windows.wmv": ("wmv2", "asf", "yuv420p", (320, 240), {}),
    "program.mpg": ("mpeg2video", "mpeg", "yuv420p", (320, 240), {}),
    "bare.mpg": ("mpeg1video", "mpeg1video", "yuv420p", (320, 240), {}),
    "stream.ts": ("libx264", "mpegts", "yuv420p", (320, 240), {}),
    "av1.mp4": ("libsvtav1", "mp4", "yuv420p", (320, 240), {"preset": "12"}),
    "vp9-in-full-colour.webm": ("libvpx-vp9", "webm", "yuv444p", (320, 240), {"deadline": "realtime"}),
    "phone.3gp": ("h263", "3gp", "yuv420p", (352, 288), {}),
}


def coded(codec: str, kind: str, dots: str, size: tuple[int, int], options: dict[str, str]) -> bytes:
    written = BytesIO()
    with av.open(written, "w", format=kind) as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, dots
        for picture in moving(*size, 10):
            frame: VideoFrame = VideoFrame.from_image(picture)
            container.mux(stream.encode(frame.reformat(format=dots)))
        container.mux(stream.encode(None))
    return written.getvalue()


def test_videos_of_many_kinds_get_a_poster_and_a_preview_and_are_told_from_those_that_play(tmp_path: Path) -> None:
    for name, how in KINDS.items():
        (tmp_path / name).write_bytes(coded(*how))
        outcome = decoded(tmp_path / name, is_for_video=True).outcome
        assert isinstance(outcome, Posters), (name, outcome)
        assert outcome.preview, name
        assert not outcome.plays_everywhere, name
        poster = Image.open(BytesIO(outcome.poster)).convert("RGB")
        for (x, y), colour in zip(((72, 72), (216, 72), (72, 216), (216, 216)), CORNERS.values(), strict=True):
            seen = poster.crop((x, y, x + 1, y + 1)).tobytes()
            assert all(abs(a - b) < 40 for a, b in zip(seen, colour, strict=True)), (name, x, y, seen)


def test_a_track_that_nobody_can_decode_does_not_hide_the_one_that_is_shown(tmp_path: Path) -> None:
    written = BytesIO()
    with av.open(written, "w", format="matroska") as container:
        for codec, dots in (("mjpeg", "yuvj420p"), ("ffv1", "yuv420p")):
            stream: Any = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 320, 240, dots
        for picture in moving(320, 240, 10):
            for one, dots in zip(container.streams.video, ("yuvj420p", "yuv420p"), strict=True):
                container.mux(one.encode(VideoFrame.from_image(picture).reformat(format=dots)))
        for one in container.streams.video:
            container.mux(one.encode(None))
    whole = written.getvalue()
    assert (whole.count(b"V_MJPEG"), whole.count(b"V_FFV1")) == (1, 1)
    video = tmp_path / "two.mkv"
    video.write_bytes(whole.replace(b"V_MJPEG", b"V_OTHER"))
    assert isinstance(decoded(video, is_for_video=True).outcome, Posters)
    video.write_bytes(whole.replace(b"V_MJPEG", b"V_OTHER").replace(b"V_FFV1", b"V_NONE"))
    assert decoded(video, is_for_video=True).outcome is Reason.NO_PICTURE


def test_an_animation_shows_what_comes_before_its_damage(tmp_path: Path) -> None:
    written = BytesIO()
    first, *others = moving(320, 240, 4)
    first.save(written, "PNG", save_all=True, append_images=others)
    whole = written.getvalue()
    control = whole.index(b"acTL")
    promises = b"acTL" + struct.pack(">II", 99, 0)
    animation = tmp_path / "animation.png"
    animation.write_bytes(
        whole[:control] + promises + struct.pack(">I", zlib.crc32(promises)) + whole[control + len(promises) + 4 :]
    )
    assert isinstance(decoded(animation, is_for_video=False).outcome, Posters)
    for cut in (1, 3, 5):
        gif = BytesIO()
        first.save(gif, "GIF", save_all=True, append_images=others, duration=100)
        content = gif.getvalue()
        # The second extension for controls begins the second picture.
        control = content.index(b"!\xf9", content.index(b"!\xf9") + 2)
        (tmp_path / "animation.gif").write_bytes(content[: control + cut])
        outcome = decoded(tmp_path / "animation.gif", is_for_video=False).outcome
        assert isinstance(outcome, Posters), (cut, outcome)
    second = whole.index(b"fdAT")
    animation.write_bytes(whole[: second + 12] + bytes(40) + whole[second + 52 :])
    assert isinstance(decoded(animation, is_for_video=False).outcome, Posters)


def test_every_case_is_looked_at() -> None:
    assert {path.name for path in MEDIA.iterdir()} == {*PICTURES, *VIDEOS, *HDR, *OTHERS}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_s_poster_has_the_scene_s_colours_in_their_places(name: str) -> None:
    assert_close(colours(name), PICTURE, within=12)


@pytest.mark.parametrize("exif", [b"", Image.Exif().tobytes()], ids=["plain", "with-exif"])
@pytest.mark.parametrize("lossless", [True, False])
def test_a_large_webp_s_colours_are_converted_from_its_profile(
    lossless: bool, exif: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_formats, "MOST_WEBP_PIXELS", 1)
    with Image.open(MEDIA / "icc-p3.jpg") as image:
        profile = image.info["icc_profile"]
        content = saved(image, format="WEBP", lossless=lossless, quality=95, icc_profile=profile, exif=exif)
    assert_close(points(photos.make(BytesIO(content))), PICTURE, within=12)


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_s_poster_has_the_scene_s_colours_in_their_places(name: str) -> None:
    assert_close(colours(name), VIDEO, within=12)


@pytest.mark.parametrize("name", [*HDR, "camera.MTS", "motion.gif"])
def test_hdr_and_what_is_coarse_come_close(name: str) -> None:
    assert_close(colours(name), VIDEO, within=20)


def stored_in_hdr(name: str) -> tuple[Image.Image, int]:
    """A picture of a video as RGB, whose colours are those of the file, and their transfer characteristics."""
    with av.open(MEDIA / name) as container:
        (frame, *_) = container.decode(video=0)
    still: Any = frame.reformat(480, 360, "rgb24", src_colorspace=Colorspace.BT2020)
    return still.to_image(), int(frame.color_trc)


@pytest.mark.parametrize("name", HDR)
def test_an_avif_in_hdr_comes_close_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, transfer = stored_in_hdr(name)
    content = bytearray(saved(stored, format="AVIF", quality=90))
    struct.pack_into(">HH", content, content.index(b"nclx") + 4, 9, transfer)
    assert_close(points(stills.make(BytesIO(content))), VIDEO, within=20)
    monkeypatch.setattr(file_formats, "MOST_AVIF_PIXELS", 1)
    assert_close(points(photos.make(BytesIO(content))), VIDEO, within=20)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_avif_has_the_colours_and_places_of_a_small_one(
    orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    with Image.open(MEDIA / "icc-p3.jpg") as image:
        profile = image.info["icc_profile"]
        content = saved(image, format="AVIF", quality=95, icc_profile=profile, exif=exif)
    small = points(stills.make(BytesIO(content)))
    monkeypatch.setattr(file_formats, "MOST_AVIF_PIXELS", 1)
    large = points(photos.make(BytesIO(content)))
    assert all(abs(a - b) <= 16 for point in POINTS for a, b in zip(small[point], large[point], strict=True))
    if orientation == 1:
        assert_close(large, PICTURE, within=12)


@pytest.mark.parametrize(
    "told", [{"colour": b"nclx" + struct.pack(">HHHB", 9, HLG, 6, 0)}, {"tags": f"colorprim=9:transfer={HLG}"}]
)
def test_a_heic_in_hdr_comes_close_too_whether_its_index_says_so_or_its_tiles(told: Any) -> None:
    stored, transfer = stored_in_hdr("iphone-hlg.MOV")
    assert transfer == HLG
    assert_close(points(photos.make(BytesIO(heic(stored, 480, **told)))), VIDEO, within=20)


@pytest.mark.parametrize(
    ("codec", "dots", "kind"), [("libx265", "yuv420p", "mp4"), ("prores_ks", "yuv422p10le", "mov")]
)
def test_hdr_of_which_the_container_alone_tells_comes_close_too(
    codec: str, dots: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0)  # this process has spent more than a decoder may
    stored, transfer = stored_in_hdr("iphone-hlg.MOV")
    # Without B pictures: with them, x265 leaves the times of so few pictures undefined.
    options: dict[str, Any] = {"crf": "18", "x265-params": "log-level=none:bframes=0:frame-threads=1"}
    stream, coded = packets([stored] * 2, codec=codec, dots=dots, **options)
    content = muxed(stream, coded, kind=kind, tags=Tags(9, transfer, 6))
    posters = clips.make(BytesIO(content), is_output=True)
    assert_close(points(posters), VIDEO, within=20)
    assert posters.share_picture
    with Image.open(BytesIO(posters.share_picture.content)) as shared:
        middle = saved(ImageOps.fit(shared, (SIDE, SIDE)), format="PNG")
    assert_close(points(Posters(middle)), VIDEO, within=20)


@pytest.mark.parametrize("name", HDR)
def test_a_picture_of_an_hdr_video_comes_close_as_a_heic_too(name: str) -> None:
    with av.open(MEDIA / name) as container:
        track = container.streams.video[0]
        size = track.width, track.height
        coded = bytes(track.codec_context.extradata or b""), bytes(next(container.demux(track)))
    content = heic(Image.new("RGB", size), max(size), coder=lambda *_: coded)
    assert_close(points(photos.make(BytesIO(content))), VIDEO, within=20)


def test_an_untagged_video_of_high_definition_is_taken_as_such() -> None:
    wanted = {point: VIDEO[point] for point in ("shirt", "grass")}
    assert_close(colours("untagged-hd-709.mp4"), wanted, within=12)


def test_what_is_hidden_in_a_video_shows_the_tile_instead() -> None:
    assert_close(colours("vp9-alpha.webm"), {"grass": TILE_COLOUR}, within=12)
    style = (ROOT / "frontend/app/globals.css").read_text()
    colour = re.search(r"--color-page: #(\w+);", style)
    assert colour
    assert bytes.fromhex(colour[1]) == bytes(TILE_COLOUR)


def test_a_preview_of_an_avi_has_all_pictures_also_where_they_are_coded_out_of_order(tmp_path: Path) -> None:
    (tmp_path / "odd.avi").write_bytes(coded("libx264", "avi", "yuv420p", (320, 240), {"bf": "3", "b-adapt": "0"}))
    outcome = decoded(tmp_path / "odd.avi", is_for_video=True).outcome
    assert isinstance(outcome, Posters)
    assert outcome.preview
    with av.open(BytesIO(outcome.preview), "r") as container:
        assert len(list(container.decode(video=0))) >= 9


def test_vp8_plays_in_webm_alone() -> None:
    content = BytesIO(coded("libvpx", "webm", "yuv420p", (320, 240), {"deadline": "realtime"}))
    with tracks.opened(content, MediaFormat.MATROSKA) as container:
        (track,) = container.streams.video
        kinds = (MediaFormat.MATROSKA, MediaFormat.QUICKTIME, MediaFormat.OGG)
        plays = [tracks.plays_in_browsers(kind, content.getvalue(), track) for kind in kinds]
    assert plays == [True, False, False]


@pytest.mark.parametrize(("kind", "plays"), [("webm", True), ("matroska", False)])
def test_webm_is_told_from_matroska_by_its_type_and_not_by_a_word(kind: str, plays: bool) -> None:
    content = coded("libvpx", kind, "yuv420p", (320, 240), {"deadline": "realtime"})
    beginning = content[: file_formats.BYTES_NEEDED].replace(b"Lavf", b"webm")  # the program that wrote it
    assert b"webm" in beginning[beginning.index(b"\x15\x49\xa9\x66") :]
    with tracks.opened(BytesIO(content), MediaFormat.MATROSKA) as container:
        (track,) = container.streams.video
        assert tracks.plays_in_browsers(MediaFormat.MATROSKA, beginning, track) == plays


@pytest.mark.parametrize(("quality", "plays"), [("0", False), ("1", True)])
def test_h264_plays_unless_it_is_without_loss(quality: str, plays: bool) -> None:
    content = video(moving(320, 240, 10), crf=quality)
    with tracks.opened(BytesIO(content), MediaFormat.QUICKTIME) as container:
        (track,) = container.streams.video
        assert track.codec_context.pix_fmt == "yuv420p"
        assert tracks.plays_in_browsers(MediaFormat.QUICKTIME, content, track) == plays


def test_a_video_without_pictures_is_refused() -> None:
    assert outcome_of("audio-only.mp4") is Reason.NO_PICTURE


@pytest.mark.parametrize("name", [*PICTURES, *VIDEOS, *HDR, *OTHERS[:-1]])
def test_whether_the_original_plays_in_all_browsers_is_told(name: str) -> None:
    assert made(name).plays_everywhere == (name not in NOT_EVERYWHERE)


@pytest.mark.parametrize(("name", "is_for_video"), [("picture.avif", True), ("one-frame.mp4", False)])
def test_a_picture_does_not_play_as_a_video_nor_does_a_video_show_as_a_picture(
    name: str, is_for_video: bool
) -> None:
    outcome = decoded(MEDIA / name, is_for_video=is_for_video).outcome
    assert isinstance(outcome, Posters)
    assert not outcome.plays_everywhere


def test_a_picture_that_browsers_do_not_show_gets_a_view() -> None:
    view = made("iphone.heic").view
    assert view
    assert len(view) <= LARGEST_VIEW
    image = Image.open(BytesIO(view))
    assert (image.format, image.size) == ("WEBP", (960, 720))
    assert [name for name in PICTURES if made(name).view] == ["iphone.heic"]


@pytest.mark.parametrize("name", [*VIDEOS, *HDR, *OTHERS[:-1]])
def test_all_but_a_single_picture_get_a_preview(name: str) -> None:
    preview = made(name).preview
    assert (preview is None) == (name == "one-frame.mp4")
    assert len(preview or b"") <= LARGEST_PREVIEW
