"""Identifies files by their first bytes. Names and declared types are only the uploader's claims."""

from __future__ import annotations

from enum import Enum

from shared.posters.unpicturable import Reason, Unpicturable

BYTES_NEEDED = 16

_MATROSKA = b"\x1a\x45\xdf\xa3"
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
# Old QuickTime files have no ftyp and begin with any of the others.
_QUICKTIME_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}
_STILL_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}


class MediaFormat(Enum):
    PICTURE = "picture"
    QUICKTIME = "mov"
    """MP4 and its relatives. The value is the name of FFmpeg's demuxer."""
    MATROSKA = "matroska"
    """Includes WebM."""

    @property
    def is_video(self) -> bool:
        return self is not MediaFormat.PICTURE


def media_format(beginning: bytes) -> MediaFormat:
    """The format of a file that starts with these BYTES_NEEDED bytes.

    Raises Unpicturable for everything not listed here. So FFmpeg never gets a playlist or script, which it
    would follow to other files and addresses.
    """
    if not beginning:
        raise Unpicturable(Reason.EMPTY)
    if beginning.startswith(_PICTURES) or (beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP"):
        return MediaFormat.PICTURE
    if beginning.startswith(_MATROSKA):
        return MediaFormat.MATROSKA
    if beginning[4:8] in _QUICKTIME_BOXES and beginning[8:12] not in _STILL_BRANDS:
        return MediaFormat.QUICKTIME
    raise Unpicturable(Reason.NOT_MEDIA)


def is_video(beginning: bytes) -> bool:
    """Whether a file that starts with these BYTES_NEEDED bytes is a video of a known kind."""
    try:
        return media_format(beginning).is_video
    except Unpicturable:
        return False
