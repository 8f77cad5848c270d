"""What FFmpeg tells beside the dots of a decoded picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from av.sidedata.sidedata import SideData, Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from shared.posters.colours import Tags

# FFmpeg attaches kinds that PyAV does not know. At one of them, PyAV would raise ValueError and tell none.
Type._missing_ = classmethod(lambda cls, _: cls.VIDEO_HINT)  # type: ignore[assignment,method-assign]


def attached(frame: VideoFrame, kind: Type) -> bytes:
    """What is attached to the picture of this kind; empty if nothing is."""
    found = cast(Mapping[Type, SideData], frame.side_data)  # PyAV's own type is wrong
    return bytes(found[kind]) if kind in found else b""


def tags_by(source: VideoFrame | VideoCodecContext) -> Tags:
    """The tags of a picture; or, of a track that was not decoded yet, those of its container."""
    return Tags(int(source.color_primaries), int(source.color_trc), int(source.colorspace))
