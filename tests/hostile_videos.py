"""Unusual and malicious videos for the poster tests."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from PIL import ExifTags, Image

from shared.posters.colours import Tags
from tests.hostile_pictures import damaged, noise, scene

FAST = {"preset": "ultrafast", "crf": "30"}
BLACK = Image.new("RGB", (320, 240))


def moving(width: int, height: int, count: int) -> Iterator[Image.Image]:
    """A scene with something moving in it."""
    still = scene(width, height)
    for number in range(count):
        picture = still.copy()
        picture.paste((0, 0, 0), (number % width, height // 2, number % width + width // 16 + 1, height))
        yield picture


def packets(
    pictures: Iterable[Image.Image], codec: str = "libx264", dots: str = "yuv420p", rate: int = 30, **options: str
) -> tuple[Any, list[Packet[Any]]]:
    """A stream and its packets."""
    written = BytesIO()
    with av.open(written, "w", format="matroska") as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options)
        for number, picture in enumerate(pictures):
            if not number:
                stream.width, stream.height, stream.pix_fmt = *picture.size, dots
            frame = VideoFrame.from_image(picture).reformat(format=dots)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    written.seek(0)
    opened = av.open(written, "r")
    return opened.streams.video[0], [packet for packet in opened.demux(video=0) if packet.size]


def muxed(
    stream: Any,
    made: Iterable[Packet[Any]],
    kind: str = "mp4",
    sound: bool = False,
    tags: Tags | None = None,
    **options: str,
) -> bytes:
    """A file of these packets. The tags are told by the container alone."""
    written = BytesIO()
    with av.open(written, "w", format=kind, options=options) as container:
        copy = container.add_stream_from_template(stream, opaque=True)
        copy.time_base = Fraction(1, 90_000)
        if tags:
            context = copy.codec_context
            context.color_primaries, context.color_trc, context.colorspace = tags
        if sound:
            add_sound(container)
        for packet in made:
            packet.stream = copy
            container.mux(packet)
    return written.getvalue()


def add_sound(container: Any, seconds: int = 2) -> None:
    stream = container.add_stream("aac", rate=48000)
    for number in range(seconds * 46):
        frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        frame.sample_rate, frame.pts = 48000, number * 1024
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def subtitled(kind: str, codec: str, words: bytes) -> bytes:
    """A video with sound and a track of subtitles, and in Matroska with their font."""
    stream, made = packets(moving(320, 240, 40))
    written = BytesIO()
    with av.open(written, "w", format=kind) as container:
        copy = container.add_stream_from_template(stream, opaque=True)
        if kind == "matroska":
            container.add_attachment("font.ttf", "application/x-truetype-font", b"font")
        subtitles: Any = container.add_stream(codec)
        subtitles.codec_context.subtitle_header = (
            b"[V4+ Styles]\nFormat: Name\nStyle: Default\n[Events]\nFormat: Text\n"
        )
        subtitles.time_base = copy.time_base = Fraction(1, 1000)
        add_sound(container)
        for packet in made:
            packet.stream = copy
            container.mux(packet)
        said = Packet(words)
        said.stream, said.pts, said.dts, said.duration = subtitles, 0, 0, 1000
        said.time_base = subtitles.time_base
        container.mux(said)
    return written.getvalue()


def noted() -> bytes:
    """Motion JPEG as cameras write it: each picture has EXIF of its own."""
    stream, made = packets(moving(320, 240, 10), codec="mjpeg", dots="yuvj420p")
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    notes = exif.tobytes()

    def copies() -> Iterator[Packet[Any]]:
        for packet in made:
            content = bytes(packet)
            copy = Packet(content[:2] + struct.pack(">HH", 0xFFE1, 2 + len(notes)) + notes + content[2:])
            copy.pts, copy.dts, copy.time_base, copy.is_keyframe = packet.pts, packet.dts, packet.time_base, True
            yield copy

    return muxed(stream, copies(), kind="avi")


def video(pictures: Iterable[Image.Image], kind: str = "mp4", sound: bool = False, **how: Any) -> bytes:
    how = {**FAST, **how} if how.get("codec", "libx264").startswith("libx26") else how
    return muxed(*packets(pictures, **how), kind=kind, sound=sound)


def in_parts(pictures: Iterable[Image.Image], **how: Any) -> bytes:
    """An MP4 in which each key picture begins a part with an index of its own, as for streaming."""
    movflags = "frag_keyframe+empty_moov+default_base_moof"
    return muxed(*packets(pictures, **{**FAST, **how}), movflags=movflags)


def boxed(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def box(content: bytes, kind: bytes) -> tuple[int, int]:
    """Start and end of the first box of this kind."""
    start = content.index(kind) - 4
    return start, start + struct.unpack_from(">I", content, start)[0]


def held(quarters: int) -> bytes:
    """A video from a phone that was held rotated. The file says how to rotate it back."""
    upright = list(moving(320, 240, 10))
    turns = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
    content = bytearray(video(picture.transpose(turns[quarters]) for picture in upright))
    one = 1 << 16
    cosine, sine = {1: (0, one), 2: (-one, 0), 3: (0, -one)}[quarters]
    matrix = struct.pack(">9i", cosine, sine, 0, -sine, cosine, 0, 0, 0, 1 << 30)
    start = content.index(b"tkhd") + 4 + 40
    content[start : start + 36] = matrix
    return bytes(content)


def repeated(
    count: int,
    seconds: Fraction,
    pictures: Iterable[Image.Image] | None = None,
    sound: bool = False,
    **how: str,
) -> bytes:
    """So many pictures, the same ones over and over: they are encoded once. `seconds` are between two of them."""
    stream, made = packets(pictures or moving(320, 240, 1), rate=1, **{**FAST, **how})

    def copies() -> Iterator[Packet[Any]]:
        for number in range(count):
            packet = Packet(bytes(made[number % len(made)]))
            packet.pts = packet.dts = number
            packet.time_base, packet.is_keyframe = seconds, not number % len(made)
            yield packet

    return muxed(stream, copies(), sound=sound)


def recorded(last: int | None = None) -> bytes:
    """WebM as browsers record it, which does not say how long it is; black for five seconds. `last` is in ms."""
    stream, made = packets([*[BLACK] * 10, *moving(320, 240, 10)], codec="libvpx", rate=2, deadline="realtime")
    if last:
        made[-1].pts = made[-1].dts = last
    return muxed(stream, made, kind="webm", live="1")


def changing(sizes: Iterable[tuple[int, int]]) -> bytes:
    """WebM whose pictures change size on the way: VP8 gives the size in each key picture."""
    parts = [packets(moving(*size, 10), codec="libvpx", deadline="realtime") for size in sizes]
    joined: list[Packet[Any]] = []
    for packet in (packet for _, made in parts for packet in made):
        packet.pts = packet.dts = len(joined)
        packet.time_base = Fraction(1, 30)
        joined.append(packet)
    return muxed(parts[0][0], joined, kind="webm")


def secretly_huge() -> bytes:
    """WebM that declares 320 x 240 but whose second key picture is 16383 x 16383."""
    content = bytearray(changing([(320, 240), (320, 240)]))
    second = content.rindex(b"\x9d\x01\x2a")
    content[second + 3 : second + 7] = struct.pack("<HH", 16383, 16383)
    return bytes(content)


def many_streams(count: int) -> bytes:
    content = video(moving(64, 64, 10))
    (moov, end), (trak, trak_end) = box(content, b"moov"), box(content, b"trak")
    copies = content[trak:trak_end] * count
    return content[:moov] + boxed(b"moov", content[moov + 8 : trak] + copies + content[trak_end:end])


def endless_table() -> bytes:
    """Declares two billion pictures of one byte each."""
    content = bytearray(video(moving(64, 64, 10)))
    start = content.index(b"stsz") + 8
    content[start : start + 8] = struct.pack(">II", 1, 2_000_000_000)
    return bytes(content)


def nested_boxes(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = boxed(b"moov", content)
    return boxed(b"ftyp", b"isom\0\0\0\0isom") + content


def sound_only() -> bytes:
    written = BytesIO()
    with av.open(written, "w", format="mp4") as container:
        add_sound(container)
    return written.getvalue()


def ahead(content: bytes) -> bytes:
    """The same video with its index in front, as for the web."""
    written = BytesIO()
    (moov, end), (mdat, mdat_end) = box(content, b"moov"), box(content, b"mdat")
    index = bytearray(content[moov:end])
    for place in (place for place in range(len(index)) if index[place : place + 4] == b"stco"):
        for entry in range(struct.unpack_from(">I", index, place + 8)[0]):
            at = place + 12 + 4 * entry
            struct.pack_into(">I", index, at, struct.unpack_from(">I", index, at)[0] + len(index))
    written.write(content[:mdat] + index + content[mdat:mdat_end])
    return written.getvalue()


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def dolby_vision(profile: int, compatibility: int) -> bytes:
    """A video whose track says that it is Dolby Vision, which only its colours would show."""
    content = bytearray(video(moving(320, 240, 10), codec="libx265"))
    record = struct.pack(">BBHB19x", 1, 0, profile << 9 | 1 << 2 | 1, compatibility << 4)
    told = boxed(b"dvcC", record)
    _, end = box(bytes(content), b"hev1")
    content[end:end] = told
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hev1"):
        start, end = box(bytes(content), kind)
        struct.pack_into(">I", content, start, end - start + len(told))
    return bytes(content)


def plain() -> bytes:
    return video(moving(320, 240, 60), sound=True)


def fade_in() -> Iterator[Image.Image]:
    yield from [BLACK] * 30
    yield from moving(320, 240, 30)


def black_before_noise() -> Iterator[Image.Image]:
    """So few bytes of black that FFmpeg reads on to its target instead of seeking."""
    for _ in range(40):
        yield BLACK.resize((64, 64))
    for _ in range(60):
        yield noise(64, 64)


VIDEOS: dict[str, Callable[[], bytes]] = {
    "clip-720p.mp4": lambda: repeated(150, Fraction(1, 30), moving(1280, 720, 30), sound=True),
    "clip.webm": lambda: video(moving(320, 240, 40), kind="webm", codec="libvpx-vp9", deadline="realtime"),
    "clip.mov": lambda: video(moving(320, 240, 40), kind="mov"),
    "subtitled.mp4": lambda: subtitled("mp4", "mov_text", b"\0\5hello"),
    "subtitled.mkv": lambda: subtitled("matroska", "subrip", b"hello"),
    "named-in-latin-1.mp4": lambda: plain().replace(b"VideoHandler", b"Vid\xe9oHandler"),
    "mjpeg-with-exif.avi": noted,
    # Together, its pictures take more memory than there is.
    "clip-4k.mp4": lambda: repeated(30, Fraction(1, 30), moving(3840, 2160, 1)),
    "noise.mp4": lambda: repeated(90, Fraction(1, 30), (noise(288, 288) for _ in range(15)), crf="1"),
    "black-at-first.mp4": lambda: video(fade_in()),
    "black-for-long.mp4": lambda: video([*[BLACK] * 10, *moving(320, 240, 10)], rate=2, g="5"),
    "black-for-four-seconds.mp4": lambda: video(black_before_noise(), rate=10, g="10"),
    "black.mp4": lambda: video([BLACK] * 30),
    "recorded.webm": recorded,
    "recorded-with-an-impossible-time.webm": lambda: recorded(last=2**60),
    "one-picture.mp4": lambda: video([scene(320, 240)]),
    "key-pictures-only.mp4": lambda: video(moving(320, 240, 60), g="1"),
    "fast.mp4": lambda: video(moving(320, 240, 240), rate=120),
    "held-1.mp4": lambda: held(1),
    "held-2.mp4": lambda: held(2),
    "held-3.mp4": lambda: held(3),
    "panorama.mp4": lambda: video(moving(1920, 64, 10)),
    "odd.mp4": lambda: video(moving(321, 241, 10), dots="yuv444p"),
    "ten-bits.mp4": lambda: video(moving(320, 240, 10), codec="libx265", dots="yuv420p10le"),
    "dolby-vision-8.mp4": lambda: dolby_vision(8, 1),
    "dolby-vision-5.mp4": lambda: dolby_vision(5, 0),
    "transparent.webm": lambda: video(moving(320, 240, 10), kind="webm", codec="libvpx-vp9", dots="yuva420p"),
    "changing.webm": lambda: changing([(320, 240), (160, 400), (640, 120)]),
    "ten-hours.mp4": lambda: repeated(36_000, Fraction(1)),
    "crowded.mp4": lambda: repeated(36_000, Fraction(1, 30_000)),
    "dozens-of-streams.mp4": lambda: many_streams(60),
    "hundreds-of-streams.mp4": lambda: many_streams(900),
    "thousands-of-streams.mp4": lambda: many_streams(5000),
    "damaged.mp4": lambda: damaged(damaged(plain())),
    "truncated-after-index.mp4": lambda: half(ahead(video(moving(320, 240, 60)))),
    "truncated-before-index.mp4": lambda: half(plain()),
    "video-called.png": plain,
    "sound-only.mp4": sound_only,
    "huge.mp4": lambda: video([scene(8192, 4320)]),
    "secretly-huge.webm": secretly_huge,
    "endless-table.mp4": endless_table,
    "nested-boxes.mp4": lambda: nested_boxes(10_000),
    "garbage.mp4": lambda: boxed(b"ftyp", b"isom\0\0\0\0isom") + os.urandom(100_000),
    "garbage.webm": lambda: b"\x1a\x45\xdf\xa3" + os.urandom(100_000),
    "beginning-only.mp4": lambda: boxed(b"ftyp", b"isom\0\0\0\0isom"),
    "empty.mp4": bytes,
    "playlist.mp4": lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
    "script.mp4": lambda: b"ffconcat version 1.0\nfile /etc/passwd\n",
}


def write_video(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(VIDEOS[name]())
    return path
