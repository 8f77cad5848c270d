"""Shrinks pictures of a video, whole or their middle alone, and shows them upright in sRGB, as browsers do."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from shared.posters.colours import UNTOLD, Tags, brightest_of, is_wide, table, white_of
from shared.posters.posters import SIDE, TILE_COLOUR, WIDEST_SHARED
from shared.posters.side_data import attached, tags_by

TICKS = 1000
"""Ticks per second of a preview's clock."""
_WIDEST_DOT = 4
"""The largest believable pixel aspect ratio; a file that declares a larger one is wrong."""
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
"""Matrix coefficients that browsers obey, by their number in ITU-T H.273. With others they guess, as with none."""
_OUT = "out_color_matrix=bt709:out_range=tv"
_LINES_OF_HD, _WIDTH_OF_HD = 720, 1280
_TINY = 16

Step = tuple[str, str | None]
Steps = list[Step]
_TURN: Step = ("transpose", "cclock_flip")
"""Swaps rows and columns."""


@dataclass(frozen=True, slots=True)
class Square:
    """A square picture, SIDE pixels wide: 8-bit YUV of BT.709, or RGBA as stored, whose colours are `kind`."""

    frame: VideoFrame
    kind: tuple[int, int] | None = None
    """Primaries and transfer characteristics."""


class Squares:
    """Pictures of one video, which may change their size on the way."""

    def __init__(self, aspect: Fraction | None, tags: Tags) -> None:
        """The tags are those of the container. Where a coded picture has its own, they overrule these."""
        self._tags = tags
        self._aspect = aspect if aspect and 1 / _WIDEST_DOT <= aspect <= _WIDEST_DOT else Fraction(1)
        self._made_for: object = None
        self._turns: Steps = []
        self._graph = Graph()
        self._brightest = 0.0

    def of(self, frame: VideoFrame) -> Square:
        """The middle of a picture, upright. Its colours can be converted once all that count were seen."""
        primaries, transfer, matrix = tags_by(frame).or_else(self._tags)
        is_plain = not is_wide(primaries, transfer) and not _has_alpha(frame)
        made_for = (frame.width, frame.height, frame.format.name, matrix, frame.color_range, is_plain)
        if made_for != self._made_for:
            self._turns = upright(frame)
            dots = "yuv420p" if is_plain else "rgba"
            self._graph = self._graph_for(frame, matrix, (SIDE, SIDE), dots, self._middle(frame))
            self._made_for = made_for
        square = _filtered(frame, self._graph)
        if is_plain:
            return Square(square)
        if is_wide(primaries, transfer):
            self._brightest = max(self._brightest, brightest_of(_image(square)))
        return Square(square, (primaries, transfer))

    def finished(self, square: Square) -> VideoFrame:
        """The square in sRGB, as YUV of BT.709. HDR is shown according to the brightest that was seen."""
        frame = square.frame
        if square.kind is not None:
            frame = in_video(self._in_srgb(frame, square.kind))
        frame.pict_type = PictureType.NONE
        return frame

    def whole(self, frame: VideoFrame) -> Image.Image:
        """All of a picture in its true proportions, upright, in the colours of the squares that were seen before.

        It is at most WIDEST_SHARED pixels wide and high, and never enlarged.
        """
        primaries, transfer, matrix = tags_by(frame).or_else(self._tags)
        width, height = frame.width * self._aspect, Fraction(frame.height)
        scale = min(Fraction(1), WIDEST_SHARED / max(width, height))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = _filtered(frame, self._graph_for(frame, matrix, size, "rgba"))
        return _on_ground(self._in_srgb(small, (primaries, transfer)))

    def _in_srgb(self, frame: VideoFrame, kind: tuple[int, int]) -> Image.Image:
        """A picture as RGBA, whose colours are `kind`."""
        image, (primaries, transfer) = _image(frame), kind
        if is_wide(primaries, transfer):
            image = image.filter(table(primaries, transfer, white_of(self._brightest, transfer)))
        return image

    def _middle(self, frame: VideoFrame) -> Step:
        side = min(frame.width * self._aspect, Fraction(frame.height))
        width, height = max(1, int(side / self._aspect)), max(1, int(side))
        return ("crop", f"{width}:{height}:exact=1")

    def _graph_for(self, frame: VideoFrame, matrix: int, size: tuple[int, int], dots: str, *first: Step) -> Graph:
        """The filters that bring a picture to this size, stored as `dots`, and then upright."""
        named = _MATRICES.get(matrix) or ("bt709" if self._is_hd(frame) else "bt601")
        steps: Steps = [
            *first,
            ("scale", f"{size[0]}:{size[1]}:flags=lanczos:in_color_matrix={named}:{_OUT}"),
            ("format", dots),
            *self._turns,
        ]
        graph = Graph()
        graph.threads = 1
        graph.link_nodes(
            graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, TICKS)
            ),
            *(graph.add(name, arguments) for name, arguments in steps),
            graph.add("buffersink"),
        ).configure()
        return graph

    def _is_hd(self, frame: VideoFrame) -> bool:
        """Whether a video that does not say so is BT.709. Browsers guess by its lines too.

        Chromium counts narrow pictures of exactly 720 lines (960 x 720), too; most of their encoders use BT.601.
        """
        width, height = Fraction(frame.width) * self._aspect, Fraction(frame.height)
        if _TURN in self._turns:
            width, height = height, width
        return height > _LINES_OF_HD or (height == _LINES_OF_HD and width >= _WIDTH_OF_HD)


def upright(frame: VideoFrame) -> Steps:
    """The filters that show the picture as its display matrix says: turned, mirrored or both."""
    # PyAV's side data and their picture hold each other until Python collects garbage. A tiny copy can wait.
    copy = frame.reformat(_TINY, _TINY, "gray", src_colorspace=Colorspace.ITU601, threads=1)
    matrix = attached(copy, Type.DISPLAYMATRIX)
    if not matrix:
        return []
    a, b, _, c, d, *_ = struct.unpack("<9i", matrix)
    is_turned = abs(b) + abs(c) > abs(a) + abs(d)
    across, down = (c, b) if is_turned else (a, d)
    return [_TURN] * is_turned + [("hflip", None)] * (across < 0) + [("vflip", None)] * (down < 0)


def _filtered(frame: VideoFrame, graph: Graph) -> VideoFrame:
    # Filters would refuse odd tags.
    frame.colorspace = frame.color_primaries = frame.color_trc = UNTOLD
    graph.vpush(frame)
    return graph.vpull()


def _has_alpha(frame: VideoFrame) -> bool:
    return any(part.is_alpha for part in frame.format.components)


def _image(frame: VideoFrame) -> Image.Image:
    (plane,) = frame.planes
    size = (frame.width, frame.height)
    return Image.frombuffer("RGBA", size, bytes(plane), "raw", "RGBA", plane.line_size, 1)


def _on_ground(image: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", image.size, TILE_COLOUR)
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")


def in_video(image: Image.Image) -> VideoFrame:
    """A picture as frame of a preview, over the colour of a tile where it is transparent."""
    frame: VideoFrame = VideoFrame.from_image(_on_ground(image))  # type: ignore[no-untyped-call]
    return frame.reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
    )
