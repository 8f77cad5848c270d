"""Identifies files by their first bytes. Names and declared types are only the uploader's claims."""

from __future__ import annotations

from enum import Enum

from shared.posters.unpicturable import Reason, Unpicturable

MOST_PIXELS = 36_000_000
"""Of a picture, as decoded. Larger JPEGs are decoded at a reduced size, so photos from any camera fit."""
MOST_WEBP_PIXELS = 14_000_000
"""Lower, because Pillow's WebP decoder keeps four pictures. FFmpeg decodes larger ones."""
MOST_AVIF_PIXELS = 24_500_000
"""Lower, because Pillow's AVIF decoder keeps three pictures. FFmpeg decodes larger ones."""
BYTES_NEEDED = 400
"""So many because packets of MPEG-TS are known only by their distance."""

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_GIFS = (b"GIF87a", b"GIF89a")
# Old QuickTime files have no ftyp and begin with any of the others.
_QUICKTIME_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}


class MediaFormat(Enum):
    """The values of videos are the names of FFmpeg's demuxers."""

    PICTURE = "picture"
    """JPEG, PNG, WebP or AVIF."""
    GIF = "gif"
    """A picture, or a video where a video belongs."""
    HEIF = "heif"
    """A still picture in the container of MP4, as phones take it. Browsers do not show it, except for Safari."""
    LARGE_WEBP = "webp_pipe"
    """A WebP, of a single picture, that Pillow's decoder has no room for."""
    LARGE_AVIF = "large avif"
    """The same of AVIF."""
    QUICKTIME = "mov"
    """MP4 and its relatives."""
    MATROSKA = "matroska"
    """Includes WebM."""
    AVI = "avi"
    ASF = "asf"
    """Windows Media."""
    OGG = "ogg"
    MPEG_TS = "mpegts"
    MPEG_PS = "mpeg"
    MPEG_VIDEO = "mpegvideo"

    @property
    def is_video(self) -> bool:
        return self not in _STILLS

    @property
    def is_picture_for_ffmpeg(self) -> bool:
        return self in _FOR_FFMPEG


_FOR_FFMPEG = {MediaFormat.HEIF, MediaFormat.LARGE_WEBP, MediaFormat.LARGE_AVIF}
_STILLS = {MediaFormat.PICTURE, MediaFormat.GIF, *_FOR_FFMPEG}
_SIGNATURES = (
    *((signature, MediaFormat.PICTURE) for signature in _PICTURES),
    *((signature, MediaFormat.GIF) for signature in _GIFS),
    (b"\x1a\x45\xdf\xa3", MediaFormat.MATROSKA),
    (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), MediaFormat.ASF),
    (b"OggS", MediaFormat.OGG),
    (b"\x00\x00\x01\xba", MediaFormat.MPEG_PS),
    (b"\x00\x00\x01\xb3", MediaFormat.MPEG_VIDEO),
)


def media_format(beginning: bytes) -> MediaFormat:
    """The format of a file that starts with these BYTES_NEEDED bytes.

    Raises Unpicturable for everything not listed here. So FFmpeg never gets a playlist or script, which it
    would follow to other files and addresses.
    """
    if not beginning:
        raise Unpicturable(Reason.EMPTY)
    for signature, kind in _SIGNATURES:
        if beginning.startswith(signature):
            return kind
    box, brand = beginning[4:8], beginning[8:12]
    if beginning.startswith(b"RIFF") and brand == b"WEBP":
        return MediaFormat.LARGE_WEBP if _is_large_webp(beginning) else MediaFormat.PICTURE
    if beginning.startswith(b"RIFF") and brand == b"AVI ":
        return MediaFormat.AVI
    if box == b"ftyp" and (brand in _AVIF_BRANDS | _HEIF_BRANDS):
        return _avif_or_heif(beginning)
    if box in _QUICKTIME_BOXES:
        return MediaFormat.QUICKTIME
    if _is_transport_stream(beginning):
        return MediaFormat.MPEG_TS
    raise Unpicturable(Reason.NOT_MEDIA)


def is_video(beginning: bytes) -> bool:
    """Whether a file that starts with these BYTES_NEEDED bytes is a video of a known kind."""
    try:
        return media_format(beginning).is_video
    except Unpicturable:
        return False


def _is_large_webp(beginning: bytes) -> bool:
    """https://developers.google.com/speed/webp/docs/riff_container#extended_file_format"""
    kind, head = beginning[12:16], beginning[20:30]
    if kind == b"VP8X":
        is_animated = bool(head[0] & 2) if head else False
        width, height = int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    elif kind == b"VP8L":
        is_animated, bits = False, int.from_bytes(head[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        is_animated = False
        width, height = (int.from_bytes(head[start : start + 2], "little") & 0x3FFF for start in (6, 8))
    return not is_animated and MOST_WEBP_PIXELS < width * height <= MOST_PIXELS


def _avif_or_heif(beginning: bytes) -> MediaFormat:
    """Which of them the brands name. The main one may be `mif1`, which AVIF has in common with other HEIF."""
    listed = beginning[8 : int.from_bytes(beginning[:4])]
    brands = {listed[start : start + 4] for start in range(0, len(listed), 4)}
    if not brands & _AVIF_BRANDS:
        return MediaFormat.HEIF
    is_large = b"avis" not in brands and _is_large_avif(beginning)
    return MediaFormat.LARGE_AVIF if is_large else MediaFormat.PICTURE


def _is_large_avif(beginning: bytes) -> bool:
    """Whether the first size that the index tells is large. It may be that of a tile, or come too late."""
    size = beginning[beginning.find(b"ispe") + 8 :][:8]
    return b"ispe" in beginning and int.from_bytes(size[:4]) * int.from_bytes(size[4:]) > MOST_AVIF_PIXELS


def _is_transport_stream(beginning: bytes) -> bool:
    """Whether packets of 188 bytes follow each other, as in MPEG-TS, or of 192, as cameras write them."""
    return any(
        len(beginning) > start + 2 * length
        and all(beginning[start + number * length] == 0x47 for number in range(3))
        for start, length in ((0, 188), (4, 192))
    )
