"""Makes the poster of a picture. Runs as its own process, see shared/posters/posters.py."""

from __future__ import annotations

import struct
import time
from typing import BinaryIO

# Imported one by one: if Pillow does not find a format at once, it imports all forty. It would import Mpo and Tiff
# only when a picture needs them, which a confined process cannot.
from PIL import (
    AvifImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,
)

from shared.posters.clarity import clearest, contrast
from shared.posters.colours import UNTAGGED, Tags, to_srgb
from shared.posters.confinement import confined
from shared.posters.file_formats import MOST_PIXELS, MOST_WEBP_PIXELS
from shared.posters.heif import tags_of
from shared.posters.posters import SIDE, Posters
from shared.posters.unpicturable import Reason, Unpicturable
from shared.posters.written import poster

MOST_COEFFICIENTS = 216 * 10**6
"""Bytes. A progressive JPEG is kept whole as coefficients, however small it is decoded."""
PngImagePlugin.MAX_TEXT_CHUNK = 16 * 2**20
"""Bytes of a compressed text: generators of pictures keep their workflow in one."""
PngImagePlugin.MAX_TEXT_MEMORY = 32 * 2**20

_FORMATS = tuple(
    plugin.format
    for plugin in (
        AvifImagePlugin.AvifImageFile,
        GifImagePlugin.GifImageFile,
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
    )
)
Image.preinit()
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
_RESIZABLE = {"L", "LA", "RGB", "RGBA", "CMYK"}
_TURNED_BY_EXIF = {"JPEG", "MPO", "PNG", "AVIF"}
"""The formats in which browsers obey it. In place of AVIF's own properties, Pillow tells EXIF."""
_PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}
"""As what pictures are resized, so that a dot's colour counts no more than it is seen."""
_PIXELS_OF_STRIP = 1_000_000
_MOST_FRAMES = 48
_ENOUGH_TIME = 3
"""CPU seconds after which no more pictures of an animation are looked at."""
_MISSING = 0.1
"""The part of a damaged picture that may be missing at its end."""
_NO_FURTHER = (
    *(EOFError, OSError, SyntaxError, ValueError, RuntimeError, LookupError),
    *(struct.error, Unpicturable),
)
"""What Pillow raises after an animation's last picture, or at a damaged one. How many there are is not asked: to
tell, it walks through all pictures of a GIF."""
_NOTHING = (((0, 0),) * 3, ((128, 128),) * 3)
"""Least and most of what decoders put in place of what is missing: black, or for JPEG, grey."""


def make(source: BinaryIO) -> Posters:
    # Our own limits are below.
    Image.MAX_IMAGE_PIXELS = None
    return Posters(poster(_square_of_damaged(source)))


def _square_of_damaged(source: BinaryIO) -> Image.Image:
    """Browsers show pictures without their last bytes, and with damage beside the picture itself."""
    for metadata_too, picture_too in ((False, False), (True, False), (True, True)):
        source.seek(0)
        try:
            ImageFile.LOAD_TRUNCATED_IMAGES = metadata_too
            with Image.open(source, formats=_FORMATS) as image:
                ImageFile.LOAD_TRUNCATED_IMAGES = picture_too
                tags = tags_of(source) if image.format == "AVIF" else UNTAGGED
                return _clearest_square(image, tags)
        except (OSError, SyntaxError):
            if picture_too:
                raise
    raise AssertionError("the last attempt returns or raises")


def _clearest_square(image: Image.Image, tags: Tags) -> Image.Image:
    """The square of the picture, or of an animation's first picture that shows something."""
    first = _square(image, tags)
    try:
        if not getattr(image, "is_animated", False) or image.format == "MPO":
            return first
    except _NO_FURTHER:
        return first
    squares = [first]
    for number in range(1, _MOST_FRAMES):
        if time.process_time() > _ENOUGH_TIME:
            break
        try:
            image.seek(number)
            squares.append(_square(image, tags))
        except _NO_FURTHER:
            break
    return squares[clearest([contrast(square) for square in squares])]


def _square(image: Image.Image, tags: Tags) -> Image.Image:
    declared = image.size
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    _allow(image, declared)
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    mode = "RGBA" if image.has_transparency_data else "RGB"
    image.load()
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        _refuse_half(image)
    profile = image.info.get("icc_profile")
    turned = image.info.get("exif") if image.format in _TURNED_BY_EXIF else None
    return to_srgb(_upright(_small(image, left, top, mode), turned), profile, tags).convert(mode)


def _small(image: Image.Image, left: int, top: int, mode: str) -> Image.Image:
    """The square that begins there, resized; as `mode`, unless the picture's own has averages.

    First its width, strip by strip: memory does not suffice for a copy of a large picture.
    """
    side = min(image.size)
    if image.mode == "I;16":
        mode = "L"
    elif image.mode in _RESIZABLE and not _is_keyed(image):
        mode = image.mode
    narrow = Image.new(_PREMULTIPLIED.get(mode, mode), (SIDE, side))
    height = max(1, _PIXELS_OF_STRIP // side)
    for start in range(0, side, height):
        strip = image.crop((left, top + start, left + side, top + min(start + height, side)))
        if strip.mode == "I;16":
            # 16-bit shades: Pillow itself would turn all those above 255 white.
            strip = strip.point(lambda shade: shade * (1 / 256))
        # Convert before resizing: palette entries, single bits and a transparent colour have no average.
        strip = strip.convert(mode).convert(narrow.mode)
        narrow.paste(strip.resize((SIDE, strip.height), Image.Resampling.LANCZOS), (0, start))
    return narrow.resize((SIDE, SIDE), Image.Resampling.LANCZOS).convert(mode)


def _is_keyed(image: Image.Image) -> bool:
    """Whether one colour stands for what is transparent. Of 16 bits, Pillow keeps 8, except in this."""
    key = image.info.get("transparency")
    if image.mode == "L":
        return isinstance(key, int)
    return image.mode == "RGB" and isinstance(key, tuple) and max(key) <= 255


def _upright(square: Image.Image, exif: object) -> Image.Image:
    """The square turned as EXIF says. XMP, which Pillow would obey too, means nothing to browsers."""
    square.info = {}
    try:
        notes = Image.Exif()
        notes.load(exif if isinstance(exif, bytes) else b"")
        square.getexif()[ExifTags.Base.Orientation] = notes.get(ExifTags.Base.Orientation, 1)
        return ImageOps.exif_transpose(square)
    except Exception:  # a good picture can have broken metadata
        return square


def _refuse_half(image: Image.Image) -> None:
    """Raises Unpicturable if nothing is there of the end of a damaged picture."""
    width, height = image.size
    end = image.crop((0, int(height * (1 - _MISSING)), width, height)).convert("RGB")
    if end.getextrema() in _NOTHING:
        raise Unpicturable(Reason.BROKEN, "more than a tenth of it is missing")


def _allow(image: Image.Image, declared: tuple[int, int]) -> None:
    most = MOST_WEBP_PIXELS if image.format == "WEBP" else MOST_PIXELS
    if image.size[0] * image.size[1] > most:
        raise Unpicturable(Reason.TOO_LARGE, f"{image.size[0]} x {image.size[1]} pixels")
    if image.info.get("progressive") and _coefficients(image, declared) > MOST_COEFFICIENTS:
        raise Unpicturable(Reason.TOO_LARGE, f"{declared[0]} x {declared[1]} pixels, progressive")


def _coefficients(image: Image.Image, declared: tuple[int, int]) -> float:
    """Bytes of all coefficients of a JPEG; each component may have fewer than one for each pixel."""
    layers: list[tuple[int, int, int, int]] = getattr(image, "layer", [])
    widest, highest = max(across for _, across, _, _ in layers), max(down for _, _, down, _ in layers)
    pixels = declared[0] * declared[1]
    return sum(2 * pixels * across * down / (widest * highest) for _, across, down, _ in layers)


if __name__ == "__main__":
    confined(make)
