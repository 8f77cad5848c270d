"""How files are opened, which of their video tracks players show, and whether browsers play it."""

from __future__ import annotations

import re
from typing import BinaryIO

import av
import av.logging

# PyAV imports these when it opens a file, which a confined process cannot.
import av.subtitles.codeccontext
import av.subtitles.stream
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from shared.posters.ends import Ends
from shared.posters.file_formats import MediaFormat
from shared.posters.unpicturable import Reason, Unpicturable

_READING = {
    # The file must not lead to other files or addresses.
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    # Each thread would hold pictures of its own.
    "threads": "1",
}
MOST_PIXELS = 7680 * 4320
"""Per picture: 8K, which phones make."""

_MP4, _WEBM = MediaFormat.QUICKTIME, MediaFormat.MATROSKA
_OF_BROWSERS = {"h264": {_MP4}, "vp8": {_WEBM}, "vp9": {_MP4, _WEBM}}
"""Codecs that the current versions of all browsers play, and in which containers.
https://developer.mozilla.org/en-US/docs/Web/Media/Guides/Formats/Video_codecs"""
_OF_SOME_MACHINES = {"hevc", "libdav1d", "av1"}
"""Whether these play depends on the machine. Safari plays AV1 only where the hardware decodes it, as an M3 does:
https://bugs.webkit.org/show_bug.cgi?id=311593"""
_OF_CAMERAS_AND_EDITORS = {"prores", "dnxhd", "mjpeg", "qtrle", "ffv1", "png", "rawvideo", "dvvideo"}
_OLD = {"mpeg4", "msmpeg4v2", "msmpeg4", "h263", "mpeg1video", "mpeg2video", "theora"}
_OF_WINDOWS = {"wmv1", "wmv2", "wmv3", "vc1"}
CODECS = {*_OF_BROWSERS} | _OF_SOME_MACHINES | _OF_CAMERAS_AND_EDITORS | _OLD | _OF_WINDOWS | {"gif"}
_NO_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_PLAYED_DOTS = {"yuv420p", "yuvj420p"}
"""How their dots must be stored."""
_TYPE_OF_WEBM = b"\x42\x82\x84webm"
"""The element DocType, in the first bytes of a file: https://www.rfc-editor.org/rfc/rfc8794.html#name-doctype-element"""
_DOLBY_VISION_ALONE = re.compile(r"DOVI configuration record:.* profile: (?:5|10),.* compatibility id: 0\b")


def opened(source: BinaryIO | Ends, kind: MediaFormat) -> InputContainer:
    """The file, read as one of this kind. The names and comments in it need not be UTF-8."""
    return av.open(source, "r", format=kind.value, options=_READING, metadata_errors="replace")


def shown_track(container: InputContainer) -> VideoStream:
    """The video that players play: the default one if there is one, else the one with the most pictures.

    Cover art is none. The other streams will not be read. Raises Unpicturable if no video can be decoded, or if
    the colours are Dolby Vision's own, which FFmpeg shows green and purple.
    """
    tracks = [each for each in container.streams.video if not each.disposition & _NO_VIDEO]
    decodable = [each for each in tracks if _codec(each) in CODECS]
    if not decodable:
        raise Unpicturable(Reason.NO_PICTURE, ", ".join(map(_codec, tracks)))
    chosen = max(decodable, key=_rank)
    pixels = chosen.width * chosen.height
    if pixels > MOST_PIXELS:
        raise Unpicturable(Reason.TOO_LARGE, f"{chosen.width} x {chosen.height} pixels")
    if _DOLBY_VISION_ALONE.search(_description(container, chosen)):
        raise Unpicturable(Reason.NO_PICTURE, "Dolby Vision alone")
    for other in container.streams:
        if other is not chosen:
            other.discard = Discard.all
    return chosen


def _description(container: InputContainer, track: VideoStream) -> str:
    """What FFmpeg says of a track: the only way in which PyAV tells the data beside it."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        told = str(container.dumps_format())  # type: ignore[attr-defined]
    finally:
        av.logging.set_level(level)
    _, *parts = re.split(r"^  Stream #0:(\d+)", told, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True)).get(str(track.index), "")


def _codec(track: VideoStream) -> str:
    """The name of what decodes the track. PyAV has no context where FFmpeg has no decoder."""
    return track.codec_context.name if track.codec_context else "unknown"


def _rank(track: VideoStream) -> tuple[bool, int, bool, int]:
    plays = track.codec_context.name in _OF_BROWSERS
    return bool(track.disposition & Disposition.default), track.frames, plays, track.width * track.height


def decoder_of(track: VideoStream, *, only_key_pictures: bool) -> VideoCodecContext:
    """A decoder that uses one thread. FFmpeg's own ones for VP8 and VP9 leave out what is transparent."""
    context = track.codec_context
    if track.metadata.get("alpha_mode") == "1" and context.name in {"vp8", "vp9"}:
        context = VideoCodecContext.create("libvpx" if context.name == "vp8" else "libvpx-vp9", "r")
    context.thread_count = 1
    if only_key_pictures:
        context.skip_frame = "NONKEY"
    return context


def plays_in_browsers(kind: MediaFormat, beginning: bytes, track: VideoStream) -> bool:
    """Whether all browsers play the file, as far as its container and codec tell."""
    context = track.codec_context
    if kind not in _OF_BROWSERS.get(context.name, ()) or context.pix_fmt not in _PLAYED_DOTS:
        return False
    if "4:4:4" in (context.profile or ""):  # which H.264 without loss has at 4:2:0 too
        return False
    return kind is not _WEBM or _TYPE_OF_WEBM in beginning
