"""Writes the first pictures of a video as a small silent MP4 (H.264)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO

import av
from av.video.reformatter import ColorRange, Colorspace

from shared.posters.posters import LARGEST_PREVIEW, SIDE
from shared.posters.squares import TICKS
from shared.posters.unpicturable import Reason, Unpicturable
from shared.posters.videos import Shot

_QUALITIES = (27, 32, 37, 43, 51)
_LARGEST_INDEX = 6000
"""Bytes."""


def preview(shots: Sequence[Shot], end: float) -> bytes:
    """MP4 of these pictures, the last of which is shown until `end`, in seconds. Changes their clocks."""
    for quality in _QUALITIES:
        encoded = _encoded(shots, end, quality)
        if len(encoded) <= LARGEST_PREVIEW:
            return encoded
    raise Unpicturable(Reason.TOO_LARGE, "no quality makes the preview small enough")


def _encoded(shots: Sequence[Shot], end: float, quality: int) -> bytes:
    content = BytesIO()
    # Without B pictures: of uneven times, an MP4 of pictures out of order tells browsers a wrong duration.
    options = {"crf": str(quality), "preset": "veryfast", "bf": "0"}
    # Reserve space for the index at the front, so that browsers can start at once and nothing is written twice.
    with av.open(content, "w", format="mp4", options={"moov_size": str(_LARGEST_INDEX)}) as container:
        stream = container.add_stream("libx264", rate=30, options=options)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.thread_count = 1
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        packets = []
        for shot in shots:
            shot.picture.pts, shot.picture.time_base = round(shot.time * TICKS), context.time_base
            packets += stream.encode(shot.picture)
        packets += stream.encode(None)
        packets[-1].duration = max(TICKS // 30, round((end - shots[-1].time) * TICKS))
        container.mux(packets)
    return content.getvalue()
