"""Makes the poster of a picture that FFmpeg decodes: HEIF, or a large WebP or AVIF.

Runs as its own process, see shared/posters/posters.py.

Of HEIF, which browsers do not show, it also makes a view. The picture is put together at the size of the view,
tile by tile, so that also 48 megapixels take little memory.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from PIL import Image, ImageOps

from shared.posters import written
from shared.posters.colours import UNTAGGED, Tags, to_srgb
from shared.posters.confinement import confined
from shared.posters.file_formats import BYTES_NEEDED, MediaFormat, media_format
from shared.posters.heif import Grid, grid_of
from shared.posters.posters import SIDE, WIDEST_VIEW, Posters
from shared.posters.side_data import attached, tags_by
from shared.posters.tracks import opened
from shared.posters.unpicturable import Reason, Unpicturable

MOST_PIXELS = 64_000_000
"""Of a picture, and of each of its tiles."""
_CODECS = {"hevc", "libdav1d", "av1", "h264", "mjpeg", "webp"}
_MIRRORS = (Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.FLIP_LEFT_RIGHT)
_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
_KNOWN_MATRICES = {Colorspace.ITU709, Colorspace.ITU601, Colorspace.SMPTE170M, Colorspace.BT2020}


def make(source: BinaryIO) -> Posters:
    kind = media_format(source.read(BYTES_NEEDED))
    if kind is MediaFormat.LARGE_WEBP:
        source.seek(0)
        with opened(source, kind) as container:
            return Posters(written.poster(_square(_whole(container))))
    grid = grid_of(source)
    if kind is MediaFormat.LARGE_AVIF and grid.is_transparent:
        raise Unpicturable(Reason.TOO_LARGE, f"{grid.width} x {grid.height} pixels, transparent")
    source.seek(0)
    with opened(source, MediaFormat.QUICKTIME) as container:
        stored, tags = _put_together(container, grid)
        image = to_srgb(_upright(stored, grid), grid.profile, tags).convert("RGB")
    if kind is MediaFormat.LARGE_AVIF:
        return Posters(written.poster(_square(image)))
    view = written.optional(lambda: written.view(image))
    return Posters(written.poster(_square(image)), view=view, plays_everywhere=False)


def _whole(container: InputContainer) -> Image.Image:
    (stream,) = container.streams.video
    (packet,) = [packet for packet in container.demux(stream) if packet.size]
    frame = _decoded(stream.codec_context, packet)
    image = _image(frame, frame.colorspace, *_reduced(frame.width, frame.height))
    return to_srgb(image, attached(frame, Type.ICC_PROFILE))


def _put_together(container: InputContainer, grid: Grid) -> tuple[Image.Image, Tags]:
    """The picture of the tiles, each reduced to its part of a view, and its tags."""
    if grid.width * grid.height > MOST_PIXELS:
        raise Unpicturable(Reason.TOO_LARGE, f"{grid.width} x {grid.height} pixels")
    size = _reduced(grid.width, grid.height)
    scale = size[0] / grid.width
    canvas = Image.new("RGB", size)
    streams = {stream.id: stream for stream in container.streams.video}
    tiles = [streams[tile] for tile in grid.tiles]
    places = {stream.index: place for place, stream in enumerate(tiles)}
    decoders: dict[bytes, VideoCodecContext] = {}
    tags = UNTAGGED
    for packet in container.demux(tiles):
        if not packet.size:
            continue
        place = places[packet.stream_index]
        # Tiles are coded alike, and a decoder for each would take memory.
        context = tiles[place].codec_context
        decoder = decoders.setdefault(context.extradata or b"", context)
        frame = _decoded(decoder, packet)
        # FFmpeg does not read those of the index, which overrule those of the coded picture.
        tags = grid.tags.or_else(tags_by(frame))
        row, column = divmod(place, grid.columns)
        left, right = (round(number * frame.width * scale) for number in (column, column + 1))
        top, bottom = (round(number * frame.height * scale) for number in (row, row + 1))
        width, height = max(1, right - left), max(1, bottom - top)
        small = _image(frame, tags.matrix, width, height, is_full_range=grid.is_full_range)
        canvas.paste(small, (left, top))
    return canvas, tags


def _decoded(decoder: VideoCodecContext, packet: Packet[Any]) -> VideoFrame:
    if decoder.name not in _CODECS:
        raise Unpicturable(Reason.NO_PICTURE, decoder.name)
    if decoder.width * decoder.height > MOST_PIXELS:
        raise Unpicturable(Reason.TOO_LARGE, f"{decoder.width} x {decoder.height} pixels")
    if not decoder.is_open:
        decoder.thread_count = 1
    frames = [*decoder.decode(packet), *decoder.decode(None)]
    decoder.flush_buffers()
    if len(frames) != 1:
        raise Unpicturable(Reason.BROKEN, f"{len(frames)} pictures in a tile")
    return frames[0]


def _image(frame: VideoFrame, matrix: int, width: int, height: int, *, is_full_range: bool = False) -> Image.Image:
    """The picture at this size, as RGB, or as RGBA if it may be transparent.

    Its range is full if this says so, or the coded picture does.
    """
    mode = "RGBA" if any(part.is_alpha for part in frame.format.components) else "RGB"
    # The defaults of HEIF are those of JPEG.
    known = matrix if matrix in _KNOWN_MATRICES else Colorspace.ITU601
    small = frame.reformat(
        width,
        height,
        "rgba" if mode == "RGBA" else "rgb24",
        src_colorspace=known,
        src_color_range=ColorRange.JPEG if is_full_range else None,
        interpolation=Interpolation.AREA if width < frame.width else Interpolation.BICUBIC,
        threads=1,
    )
    (plane,) = small.planes
    return Image.frombuffer(mode, (width, height), bytes(plane), "raw", mode, plane.line_size, 1)


def _reduced(width: int, height: int) -> tuple[int, int]:
    """The size of a view: at most WIDEST_VIEW on each side."""
    scale = min(1.0, WIDEST_VIEW / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _upright(image: Image.Image, grid: Grid) -> Image.Image:
    for kind, how in grid.turns:
        turn = _TURNS[how] if kind == "irot" else _MIRRORS[how & 1]
        image = image if turn is None else image.transpose(turn)
    return image


def _square(image: Image.Image) -> Image.Image:
    return ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    confined(make)
