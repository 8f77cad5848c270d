"""Makes the poster and the preview of a video. Runs as its own process, see shared/posters/posters.py.

Decodes only the beginning, one picture at a time, on one thread. Of the rest it reads only the index, so a file
with only both ends present and a hole between them is enough.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import SEEK_END, BytesIO
from itertools import islice
from typing import BinaryIO

import av
import av.subtitles.stream  # PyAV imports this when it opens a file, which a confined process cannot
from av.container import InputContainer
from av.filter import Graph
from av.stream import Discard
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from shared.posters.confinement import confined
from shared.posters.file_formats import BYTES_NEEDED, media_format
from shared.posters.posters import LARGEST_PREVIEW, SIDE, WHOLE_UP_TO, Posters
from shared.posters.stills import webp
from shared.posters.unpicturable import Reason, Unpicturable

SECONDS = 3
"""How much of a video its preview shows."""
MOST_PIXELS = 4096 * 2304
"""Per picture."""

_CODECS = {"h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "mpeg4", "prores"}
_READING = {
    # The file must not lead to other files or addresses.
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    # Each thread would hold pictures of its own.
    "threads": "1",
}
_MOST_PACKETS = 3000
_FASTEST = 31
"""Pictures per second in a preview: slightly above the intended 30, because times are rounded."""
_ENOUGH_TIME = 10
"""CPU seconds after which decoding stops and what there is must do."""
_LATER = (0.1, 0.3, 0.6)
"""Where to look for a poster if the beginning is one flat colour, as fractions of the whole."""
_FLAT = 6
"""A picture whose brightness deviates less than this, out of 255, shows nothing."""
_QUALITIES = (27, 32, 37, 43, 51)
_LARGEST_INDEX = 6000
"""Bytes."""
_TICKS = 1000
"""Ticks per second of a preview's clock."""
_WIDEST_DOT = 4
"""The largest believable pixel aspect ratio; a file that declares a larger one is wrong."""
_UPRIGHT: dict[int, list[tuple[str, str | None]]] = {
    1: [("transpose", "cclock")],
    2: [("hflip", None), ("vflip", None)],
    3: [("transpose", "clock")],
}
"""Transformations that undo the camera's rotation, by counterclockwise quarter turns."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A square picture and its time, in seconds since the first."""

    time: float
    picture: VideoFrame

    @property
    def contrast(self) -> float:
        return ImageStat.Stat(self.image().convert("L")).stddev[0]

    def image(self) -> Image.Image:
        image: Image.Image = self.picture.to_image(threads=1)  # type: ignore[no-untyped-call]
        return image


def make(source: BinaryIO) -> Posters:
    demuxer = media_format(source.read(BYTES_NEEDED)).value
    # Pictures from a hole look broken. Check this first: once FFmpeg has the file, it moves the read position.
    is_whole = source.seek(0, SEEK_END) <= WHOLE_UP_TO
    source.seek(0)
    with av.open(source, "r", format=demuxer, options=_READING) as container:
        stream = _pictures(container)
        shots = list(_beginning(container, stream))
        if not shots:
            raise Unpicturable(Reason.NO_PICTURE)
        poster = _poster(shots, container if is_whole else None, stream)
    return Posters(webp(poster.image()), _preview(shots) if len(shots) > 1 else None)


def _pictures(container: InputContainer) -> VideoStream:
    """The first video that can be decoded; cover art does not count. Other streams are not read."""
    stream = next(
        (each for each in container.streams.video if not each.disposition & each.disposition.attached_pic), None
    )
    if stream is None or stream.codec_context.name not in _CODECS:
        raise Unpicturable(Reason.NO_PICTURE)
    if stream.width * stream.height > MOST_PIXELS:
        raise Unpicturable(Reason.TOO_LARGE, f"{stream.width} x {stream.height} pixels")
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    stream.codec_context.thread_count = 1
    return stream


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    for packet in islice(container.demux(stream), _MOST_PACKETS):
        if time.process_time() > _ENOUGH_TIME:
            return
        try:
            yield from packet.decode()
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:  # the next picture may be intact
            continue


def _beginning(container: InputContainer, stream: VideoStream) -> Iterator[Shot]:
    squares = _Squares(stream.sample_aspect_ratio)
    first, last, shown = None, 0.0, -1.0
    for frame in _decoded(container, stream):
        at = frame.time if frame.time is not None else last + 1 / 30
        first = at if first is None else first
        last = at
        if at - first >= SECONDS:
            return
        if at - first - shown >= 1 / _FASTEST:
            shown = at - first
            yield Shot(shown, squares.of(frame))


def _poster(shots: list[Shot], container: InputContainer | None, stream: VideoStream) -> Shot:
    """The first shot with nearly as much detail as any other; some videos begin with black.

    Without a container, later places are not searched.
    """
    samples = shots[:: max(1, len(shots) // 12)]
    most = max(shot.contrast for shot in samples)
    if most < _FLAT and container:
        samples += _later(container, stream)
        most = max(shot.contrast for shot in samples)
    return next(shot for shot in samples if shot.contrast >= 0.7 * most)


def _later(container: InputContainer, stream: VideoStream) -> Iterator[Shot]:
    """A picture from each of a few places further on, as far as the file is seekable."""
    squares = _Squares(stream.sample_aspect_ratio)
    for part in _LATER:
        try:
            container.seek(int((container.duration or 0) * part))
            frame = next(_decoded(container, stream))
            yield Shot(0, squares.of(frame))
        except (av.error.FFmpegError, StopIteration):
            return


class _Squares:
    """Crops each picture to its middle, turns it upright and shrinks it. Pictures may change size on the way."""

    def __init__(self, aspect: Fraction | None) -> None:
        self._aspect = aspect if aspect and 1 / _WIDEST_DOT <= aspect <= _WIDEST_DOT else Fraction(1)
        self._made_for: object = None
        self._graph = Graph()

    def of(self, frame: VideoFrame) -> VideoFrame:
        made_for = (frame.width, frame.height, frame.format.name, frame.rotation)
        if made_for != self._made_for:
            self._graph, self._made_for = self._graph_for(frame), made_for
        self._graph.vpush(frame)
        square = self._graph.vpull()
        square.pict_type = PictureType.NONE
        return square

    def _graph_for(self, frame: VideoFrame) -> Graph:
        side = min(frame.width * self._aspect, Fraction(frame.height))
        width, height = max(1, int(side / self._aspect)), max(1, int(side))
        steps: list[tuple[str, str | None]] = [
            ("crop", f"{width}:{height}:exact=1"),
            ("scale", f"{SIDE}:{SIDE}:flags=lanczos:out_color_matrix=bt709:out_range=tv"),
            ("format", "yuv420p"),
            *_UPRIGHT.get(round(frame.rotation / 90) % 4, ()),
        ]
        graph = Graph()
        graph.threads = 1
        graph.link_nodes(
            graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, _TICKS)
            ),
            *(graph.add(name, arguments) for name, arguments in steps),
            graph.add("buffersink"),
        ).configure()
        return graph


def _preview(shots: list[Shot]) -> bytes:
    for quality in _QUALITIES:
        encoded = _encoded(shots, quality)
        if len(encoded) <= LARGEST_PREVIEW:
            return encoded
    raise Unpicturable(Reason.TOO_LARGE, "no quality makes the preview small enough")


def _encoded(shots: list[Shot], quality: int) -> bytes:
    written = BytesIO()
    # Reserve space for the index at the front, so that browsers can start at once and nothing is written twice.
    with av.open(written, "w", format="mp4", options={"moov_size": str(_LARGEST_INDEX)}) as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": str(quality), "preset": "veryfast"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.thread_count = 1
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        for shot in shots:
            shot.picture.pts, shot.picture.time_base = round(shot.time * _TICKS), context.time_base
            container.mux(stream.encode(shot.picture))
        container.mux(stream.encode(None))
    return written.getvalue()


if __name__ == "__main__":
    confined(make)
